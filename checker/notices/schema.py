"""Tables of the notices: one row for each notice, and one for each delivery under way.

    ending, directive, permit ──▶ notice ──▶ delivery ──▶ the institution's endpoint
                decision ─────────┘  └─▶ `GET /v1/notices`

A notice is never changed. A delivery is there until it is acknowledged, or its endpoint is removed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from checker.database.metadata import metadata

# `pk` grows in the order of the commits: one writer at a time. It is the feed's cursor.
notice = Table(
    "notice",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    # The event's id, by which a receiver knows a repetition.
    Column("id", UUID(as_uuid=False), nullable=False, unique=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    # Also where the event does not show it.
    Column("listing_id", Text, nullable=False),
    # A different text for each ending of one listing (`checker.notices.ending.Ending.key`).
    Column("ending", Text, nullable=False),
    # The listing restricts no longer: decisions from before get no notice of a later ending.
    Column("is_final", Boolean, nullable=False),
    Column("decision_ids", ARRAY(UUID(as_uuid=False)), nullable=False),
    # The event as it is sent, byte for byte.
    Column("event", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
Index("ix_notice_account_id_pk", notice.c.account_id, notice.c.pk)
Index("ix_notice_listing_id", notice.c.listing_id)
Index("ix_notice_at", notice.c.at)

# How far each pass of the writer has come: changes up to `version`, the clock up to `instant`.
notice_progress = Table(
    "notice_progress",
    metadata,
    Column("pass", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("instant", DateTime(timezone=True)),
    CheckConstraint("pass IN ('first', 'again')", name="pass"),
)

# The endpoint of an account; URL and secrets stand sealed.
webhook = Table(
    "webhook",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("url", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    # The secret of before signs too until then.
    Column("secret_before", LargeBinary),
    Column("secret_before_until", DateTime(timezone=True)),
    # The instant at which the endpoint was put, or at which a retry was asked for.
    Column("started_at", DateTime(timezone=True), nullable=False),
    # It answered 410: nothing is sent until it is put again, or a retry is asked for.
    Column("disabled_at", DateTime(timezone=True)),
    Column("failure", Text),
    Column("failed_at", DateTime(timezone=True)),
    Column("succeeded_at", DateTime(timezone=True)),
)

# Messages that are not acknowledged. A dead delivery waits until a retry is asked for.
delivery = Table(
    "delivery",
    metadata,
    Column(
        "notice_pk",
        ForeignKey("notice.pk", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("account_id", ForeignKey("webhook.account_id", ondelete="CASCADE"), nullable=False),
    Column("listing_id", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("dead_at", DateTime(timezone=True)),
)
Index(
    "ix_delivery_order",
    delivery.c.account_id,
    delivery.c.listing_id,
    delivery.c.notice_pk,
    postgresql_where=text("dead_at IS NULL"),
)
Index(
    "ix_delivery_due",
    delivery.c.account_id,
    delivery.c.next_at,
    postgresql_where=text("dead_at IS NULL"),
)
