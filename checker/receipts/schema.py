"""The table of the keys that sign receipts. The keys are sealed."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, LargeBinary, Table

from checker.database.metadata import metadata

receipt_key = Table(
    "receipt_key",
    metadata,
    # 1 for the first key. Of several processes that make the same number, one alone succeeds.
    Column("number", Integer, primary_key=True, autoincrement=False),
    # A JWK, with its private part while the key may sign. A public part is sealed too, so that an
    # intruder who can only write to the table cannot make a key that is published.
    Column("sealed_jwk", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("signs_from", DateTime(timezone=True), nullable=False),
    CheckConstraint("number > 0", name="number"),
)
