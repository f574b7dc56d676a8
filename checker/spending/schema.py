"""Tables of spending: steps that are only ever added, their sums and open holds, and kept answers.

A trigger refuses to change or remove a step (migration 0003). A step has the token of a document,
and no other trace of its holder. The sums and the open holds make reading fast: they follow from
the steps and are written with them, and `checker audit verify` compares both.
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
from checker.database.token_column import TokenColumn

authorization_step = Table(
    "authorization_step",
    metadata,
    # Grows with the steps of one person, because it is given behind that person's lock.
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("authorization_id", UUID(as_uuid=False), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # The changes of the sums, and the document, counter and instant to which they belong.
    Column("token", TokenColumn, nullable=False),
    # The issuer of a passport (`checker.spending.persons`); not set: unknown, or no passport.
    Column("issuer", Text),
    Column("counter", Text, nullable=False),
    Column("counted_at", DateTime(timezone=True), nullable=False),
    Column("held_delta", BigInteger, nullable=False),
    Column("captured_delta", BigInteger, nullable=False),
    # Of a step that holds: the end of the hold, and the sums it rests on, this step included.
    Column("expires_at", DateTime(timezone=True)),
    Column("limit_fen", BigInteger),
    Column("counts_from", DateTime(timezone=True)),
    Column("counts_until", DateTime(timezone=True)),
    # The tokens of all documents of the person at that time, 16 bytes each, in order.
    Column("counted_tokens", TokenColumn),
    # Their issuers, with a comma between two; not set: no issuer is known.
    Column("counted_issuers", Text),
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

# One document's held and captured sums on one counter, of the amounts that were authorized on one
# day in Asia/Shanghai.
spending_total = Table(
    "spending_total",
    metadata,
    Column("token", TokenColumn, primary_key=True),
    # Empty where a step has no issuer.
    Column("issuer", Text, primary_key=True, server_default=""),
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
    Column("token", TokenColumn, nullable=False),
    Column("issuer", Text),
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
