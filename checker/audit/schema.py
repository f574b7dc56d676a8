"""Tables of the audit: what was answered to whom, and why. Of whom it was about, nothing."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from checker.database.metadata import metadata

# Every answer but a plain `allow`, kept in the transaction that confirmed it.
decision = Table(
    "decision",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    # Not set: asked on the command line.
    Column("account_id", ForeignKey("account.id")),
    Column("service", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    # As answered, with the listing's id even where the listing is not public.
    Column("reasons", JSONB, nullable=False),
    Column("permit_id", Text),
    Column("list_version", BigInteger, ForeignKey("change.version"), nullable=False),
)
