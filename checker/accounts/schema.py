"""Tables of accounts and keys. Of a key only its SHA-256 and its first characters are kept.

Triggers of the migrations count `access_version` up in every transaction that writes an account, a
key or a flag, so that no way of writing can forget to tell the nodes.
"""

from sqlalchemy import (
    UUID,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
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
    # In which order accounts came: pages go by it.
    Column("number", BigInteger, Identity(), nullable=False, unique=True),
    # The widest scope that its keys may have; as in `api_key`.
    Column("services", ARRAY(Text)),
    Column("jurisdiction", Text),
    # Of all its keys together; 0: no limit.
    Column("items_per_minute", Integer, nullable=False, server_default="0"),
    Column("items_per_day", Integer, nullable=False, server_default="0"),
    # While set, none of its keys is in force.
    Column("disabled_at", DateTime(timezone=True)),
    CheckConstraint("role IN ('institution', 'court', 'operator', 'auditor')", name="role"),
    CheckConstraint("items_per_minute >= 0 AND items_per_day >= 0", name="items"),
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
    # By which it is named; the key itself names nothing but its holder.
    Column(
        "id",
        UUID(as_uuid=False),
        nullable=False,
        unique=True,
        server_default=func.gen_random_uuid(),
    ),
    # Its first characters, for people to recognise it by; not set for the oldest keys.
    Column("prefix", Text),
    Column("items_per_day", Integer, nullable=False, server_default="0"),
    # From then on it is not in force; not set: it does not end by itself.
    Column("expires_at", DateTime(timezone=True)),
    # When a successor was made.
    Column("rotated_at", DateTime(timezone=True)),
    CheckConstraint("items_per_minute >= 0", name="items_per_minute"),
    CheckConstraint("items_per_day >= 0", name="items_per_day"),
)

# When each key was last used, to about a minute; apart from the keys, so that no node reads all
# keys anew because one was used.
key_use = Table(
    "key_use",
    metadata,
    Column("key_pk", ForeignKey("api_key.pk"), primary_key=True, autoincrement=False),
    Column("last_used_at", DateTime(timezone=True), nullable=False),
)

# One row.
access_version = Table(
    "access_version",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
)

# An account that seems to fish, open until an operator has looked; `marked` of `items` within an
# hour, against the share of others of its kind.
account_flag = Table(
    "account_flag",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("ground", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("slowed_until", DateTime(timezone=True), nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("marked", BigInteger, nullable=False),
    Column("kind_share", Double, nullable=False),
    Column("cleared_at", DateTime(timezone=True)),
    Column("cleared_by", ForeignKey("account.id")),
    CheckConstraint("ground IN ('adverse_share', 'mismatch_share')", name="ground"),
    Index(
        "ix_account_flag_open",
        "account_id",
        unique=True,
        postgresql_where=text("cleared_at IS NULL"),
    ),
)
