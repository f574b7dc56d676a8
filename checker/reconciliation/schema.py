"""Tables of reconciliations: the progress of each, and its adverse and unreadable lines.

A sale that would have been a plain `allow` leaves no row. No row names the subject of a sale: a
result has the number of its line, and the seller's own reference, which stands sealed.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from checker.database.metadata import metadata

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("id", UUID(as_uuid=False), nullable=False, unique=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("status", Text, nullable=False),
    # Why it was interrupted.
    Column("reason", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    # The working process writes the instant now and then. A process that died no longer does.
    Column("touched_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    # The number of the last line that was judged, and counts of the lines.
    Column("lines", BigInteger, nullable=False),
    Column("adverse", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    CheckConstraint("status IN ('running', 'done', 'interrupted')", name="status"),
    CheckConstraint("(status = 'interrupted') = (reason IS NOT NULL)", name="reason"),
)

reconciliation_result = Table(
    "reconciliation_result",
    metadata,
    Column(
        "reconciliation_pk",
        ForeignKey("reconciliation.pk", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("line", BigInteger, primary_key=True),
    # Of a sale that would not have been a plain `allow`.
    Column("reference", LargeBinary),
    Column("sold_at", DateTime(timezone=True)),
    Column("service", Text),
    Column("jurisdiction", Text),
    Column("decision", Text),
    Column("reasons", JSONB(none_as_null=True)),
    Column("list_version", BigInteger, ForeignKey("change.version")),
    # Of a line that could not be judged: the code, and the fields at fault.
    Column("error", JSONB(none_as_null=True)),
    CheckConstraint("(error IS NULL) = (decision IS NOT NULL)", name="either_way"),
)
