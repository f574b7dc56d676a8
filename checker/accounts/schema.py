"""Tables of accounts and keys. Of a key only its SHA-256 is kept."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from checker.database.metadata import metadata

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("role IN ('institution', 'court', 'operator', 'auditor')", name="role"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    # Service types it may ask about; not set: all.
    Column("services", ARRAY(Text)),
    # Where its checks are placed when they do not say; not set: CN.
    Column("jurisdiction", Text),
    Column("items_per_minute", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("items_per_minute >= 0", name="items_per_minute"),
)
