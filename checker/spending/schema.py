"""Tables of spending: steps that are only ever added, what follows from them, and kept answers.

A trigger refuses to change or remove a step (migration 0003). Whose document a step counts on is
kept as a token alone. The sums and the open holds are there to be read quickly: they follow from
the steps, are written with them, and `checker audit verify` holds them against each other.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import UUID

from checker.database.metadata import metadata

authorization_step = Table(
    "authorization_step",
    metadata,
    # In the order of the steps of one person: it is given behind that person's lock.
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("authorization_id", UUID(as_uuid=False), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # What it changes, and on which document, counter and instant that counts.
    Column("token", LargeBinary, nullable=False),
    Column("counter", Text, nullable=False),
    Column("counted_at", DateTime(timezone=True), nullable=False),
    Column("held_delta", BigInteger, nullable=False),
    Column("captured_delta", BigInteger, nullable=False),
    # Where something was held: until when, and what room was reckoned from, this step included.
    Column("expires_at", DateTime(timezone=True)),
    Column("limit_fen", BigInteger),
    Column("counts_from", DateTime(timezone=True)),
    Column("counts_until", DateTime(timezone=True)),
    # The tokens of all documents that were one person's, 16 bytes each, in order.
    Column("counted_tokens", LargeBinary),
    Column("held_after_fen", BigInteger),
    Column("captured_after_fen", BigInteger),
    # Of the first step alone.
    Column("account_id", ForeignKey("account.id")),
    Column("jurisdiction", Text),
    Column("venue", Text),
    Column("reference", LargeBinary),
    # No foreign key: a decision goes when its month is over, a step stays.
    Column("decision_id", UUID(as_uuid=False)),
    UniqueConstraint("authorization_id", "number"),
    CheckConstraint("amount_fen > 0", name="amount_fen"),
    CheckConstraint(
        "kind IN ('held', 'incremented', 'captured', 'voided', 'expired', 'refunded')", name="kind"
    ),
    CheckConstraint(
        "(number = 1) = (kind = 'held') AND (number = 1) = (account_id IS NOT NULL)"
        " AND (number = 1) = (decision_id IS NOT NULL)",
        name="first_holds",
    ),
    CheckConstraint(
        "(kind IN ('held', 'incremented')) = (expires_at IS NOT NULL)"
        " AND (expires_at IS NULL) = (limit_fen IS NULL)",
        name="holds_until",
    ),
)

# What one document has held and captured on one counter, of all that was authorized on a day in
# Asia/Shanghai.
spending_total = Table(
    "spending_total",
    metadata,
    Column("token", LargeBinary, primary_key=True),
    Column("counter", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("held_fen", BigInteger, nullable=False),
    Column("captured_fen", BigInteger, nullable=False),
)

# The holds that no step has ended, also those whose time is over.
open_hold = Table(
    "open_hold",
    metadata,
    Column("authorization_id", UUID(as_uuid=False), primary_key=True),
    Column("token", LargeBinary, nullable=False),
    Column("counter", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("held_fen", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
Index("ix_open_hold_counted", open_hold.c.token, open_hold.c.counter)

# The first answer to a request, sealed: the same request again gets the same answer. The key that
# the merchant sent is kept as a keyed digest alone (`Sealer.key_digest`).
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("key_digest", LargeBinary, primary_key=True),
    Column("answer", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
)
