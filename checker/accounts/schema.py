"""Tables of accounts and keys. Of a key the database has only the SHA-256 and the first characters.

Triggers of the migrations increase `access_version` in every transaction that writes an account, a
key or a flag. So every way of writing makes the nodes read the keys again.
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
    # The order in which accounts were made; pages follow it.
    Column("number", BigInteger, Identity(), nullable=False, unique=True),
    # The widest scope that its keys may have; as in `api_key`.
    Column("services", ARRAY(Text)),
    Column("jurisdiction", Text),
    # Of all keys of the account together; 0: no limit.
    Column("items_per_minute", Integer, nullable=False, server_default="0"),
    Column("items_per_day", Integer, nullable=False, server_default="0"),
    # While set, no key of the account is in force.
    Column("disabled_at", DateTime(timezone=True)),
    # The networks in CIDR form from which the account may call; not set: from any address.
    Column("networks", ARRAY(Text)),
    # The courts for which a court's account speaks; not set: for the whole list.
    Column("courts", ARRAY(Text)),
    CheckConstraint("role IN ('institution', 'court', 'operator', 'auditor')", name="role"),
    CheckConstraint("items_per_minute >= 0 AND items_per_day >= 0", name="items"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    # The service types that the key may ask about; not set: all.
    Column("services", ARRAY(Text)),
    # The place of a check that names no place; not set: CN.
    Column("jurisdiction", Text),
    Column("items_per_minute", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("revoked_at", DateTime(timezone=True)),
    # The name of the key in addresses and logs, which never hold the key itself.
    Column(
        "id",
        UUID(as_uuid=False),
        nullable=False,
        unique=True,
        server_default=func.gen_random_uuid(),
    ),
    # The first characters, by which people recognise the key; not set for the oldest keys.
    Column("prefix", Text),
    Column("items_per_day", Integer, nullable=False, server_default="0"),
    # From this instant on the key is not in force; not set: the key does not expire.
    Column("expires_at", DateTime(timezone=True)),
    # The instant at which a successor was made.
    Column("rotated_at", DateTime(timezone=True)),
    CheckConstraint("items_per_minute >= 0", name="items_per_minute"),
    CheckConstraint("items_per_day >= 0", name="items_per_day"),
)

# The last use of each key, right to about a minute. A table of its own, so that a use does not make
# every node read all keys again.
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

# An account that seems to fish. The flag is open until an operator clears it. `marked` of `items`
# within an hour are compared with the share of other accounts of the same kind.
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
