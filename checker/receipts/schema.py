"""The table of the keys that sign receipts; what is in them is sealed."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, LargeBinary, Table

from checker.database.metadata import metadata

receipt_key = Table(
    "receipt_key",
    metadata,
    # 1 for the first: of several processes that make it, or the next one, one alone can.
    Column("number", Integer, primary_key=True, autoincrement=False),
    # A JWK, with its private part while it may sign. Sealed also without it: whoever can write to
    # the table alone cannot make a key that would be published.
    Column("sealed_jwk", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("signs_from", DateTime(timezone=True), nullable=False),
    CheckConstraint("number > 0", name="number"),
)
