"""Tables of the audit: which decision an account received, and why.

No table has the subject, but for the sealed column `subject` of a decision: tokens of the documents
that a listing reached, for a court that finds them another person's (`checker.audit.held_up`).

    decision ─────────┐ a trigger puts each new row into
    reported_outcome ─┴─▶ unchained ──▶ chain_link: number, digest over the row and the link before

Rows of `decision` stand in partitions by month, in a PostgreSQL schema of their own
(`checker.audit.months`). Neither they nor reports are ever changed. They go with their month.
"""

from typing import Final

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
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from checker.database.metadata import metadata

# Every answer but a plain `allow`, kept in the transaction that confirmed it.
decision = Table(
    "decision",
    metadata,
    Column("id", UUID(as_uuid=False), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # Not set: a check on the command line.
    Column("account_id", ForeignKey("account.id")),
    Column("service", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    # As `checker.audit.decisions.KeptReason`, with listings that the answer did not show.
    Column("reasons", JSONB, nullable=False),
    Column("permit_id", Text),
    Column("list_version", BigInteger, ForeignKey("change.version"), nullable=False),
    # The listings in the reasons. The account is notified when one of them ends.
    Column("listings", ARRAY(Text), nullable=False),
    # Digest of the policy that was used. Not set: the decision is older than recorded policies.
    Column("policy", LargeBinary),
    # Sealed for this row. It is no part of the chain: only the key of the deployment can make one.
    Column("subject", LargeBinary),
    # Ids sort by time, so this index gives a month's rows in their order.
    PrimaryKeyConstraint("id", "at"),
    postgresql_partition_by="RANGE (at)",
)
Index("ix_decision_account_id_id", decision.c.account_id, decision.c.id)
Index("ix_decision_listings", decision.c.listings, postgresql_using="gin")

NOTE_PLACE: Final = "reported_outcome.note"
"""The place of a sealed note. The chain covers the sealed bytes of a note, not its text."""

# The outcomes that an institution reports after a decision: appended, never overwritten.
reported_outcome = Table(
    "reported_outcome",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("decision_id", UUID(as_uuid=False), nullable=False, index=True),
    Column("decision_at", DateTime(timezone=True), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    # A clerk's words, sealed.
    Column("note", LargeBinary),
    CheckConstraint(
        "outcome IN ('refused', 'sold', 'cancelled', 'overridden')", name="known_outcome"
    ),
)

# New rows without a link of the chain yet. `reported_pk` not set: the decision itself.
unchained = Table(
    "unchained",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("decision_id", UUID(as_uuid=False), nullable=False),
    Column("decision_at", DateTime(timezone=True), nullable=False),
    Column("reported_pk", BigInteger),
)

# The chain (`checker.audit.chain`). A link is of a decision, of a report on it, or of a removal.
chain_link = Table(
    "chain_link",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("decision_id", UUID(as_uuid=False), index=True),
    Column("decision_at", DateTime(timezone=True)),
    Column("reported_pk", BigInteger),
    Column("removal_pk", BigInteger),
    CheckConstraint(
        "(decision_id IS NULL) = (removal_pk IS NOT NULL)"
        " AND (decision_id IS NULL) = (decision_at IS NULL)"
        " AND (decision_id IS NOT NULL OR reported_pk IS NULL)",
        name="of_one_thing",
    ),
)

# Months whose time was over, and the number of rows that were removed with each. Decisions before
# `kept_since` are gone. The chain now begins with the link `first_link`, and `digest_before` is the
# digest before that link.
removal = Table(
    "removal",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("month", Date, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("decisions", BigInteger, nullable=False),
    Column("reported_outcomes", BigInteger, nullable=False),
    Column("kept_since", DateTime(timezone=True), nullable=False),
    Column("first_link", BigInteger, nullable=False),
    Column("digest_before", LargeBinary, nullable=False),
)

# The measures and settings of decisions, by digest, so that an old decision is explained by the
# policy of its time.
policy = Table(
    "policy",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
)

# The number of checks of an account on a day of Shanghai, by outcome, without the subjects.
check_tally = Table(
    "check_tally",
    metadata,
    Column("day", Date, primary_key=True),
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("service", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("checks", Integer, nullable=False),
)
