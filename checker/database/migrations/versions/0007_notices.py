"""Notices of endings, endpoints and what is on its way to them; endings found by their version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_listing_until_version", "listing", "until_version", "until_version IS NOT NULL"),
    ("ix_listing_expires_on", "listing", "expires_on", "expires_on IS NOT NULL"),
    ("ix_directive_from_version", "directive", "from_version", None),
    ("ix_directive_on", "directive", "on", '"on" IS NOT NULL'),
    ("ix_permit_from_version", "permit", "from_version", None),
    ("ix_permit_valid_from", "permit", "valid_from", None),
)


def upgrade() -> None:
    for name, table, column, where in _INDEXES:
        condition = None if where is None else sa.text(where)
        op.create_index(name, table, [column], postgresql_where=condition)
    _create_notices()
    _create_deliveries()
    # Endings before this migration are past: nobody was promised a notice of them.
    op.execute(
        "INSERT INTO notice_progress (pass, version)"
        " SELECT pass, (SELECT coalesce(max(version), 0) FROM change)"
        " FROM unnest(ARRAY['first', 'again']) AS pass"
    )


def _create_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("decision_ids", postgresql.ARRAY(sa.UUID(as_uuid=False)), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_notice_account_id_account")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_notice")),
        sa.UniqueConstraint("id", name=op.f("uq_notice_id")),
    )
    op.create_index("ix_notice_account_id_pk", "notice", ["account_id", "pk"])
    op.create_index("ix_notice_listing_id", "notice", ["listing_id"])
    op.create_index("ix_notice_at", "notice", ["at"])
    op.create_table(
        "notice_progress",
        sa.Column("pass", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("pass IN ('first', 'again')", name=op.f("ck_notice_progress_pass")),
        sa.PrimaryKeyConstraint("pass", name=op.f("pk_notice_progress")),
    )


def _create_deliveries() -> None:
    op.create_table(
        "webhook",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_before", sa.LargeBinary(), nullable=True),
        sa.Column("secret_before_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_webhook_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "delivery",
        sa.Column("notice_pk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["webhook.account_id"],
            name=op.f("fk_delivery_account_id_webhook"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["notice_pk"],
            ["notice.pk"],
            name=op.f("fk_delivery_notice_pk_notice"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notice_pk", name=op.f("pk_delivery")),
    )
    undelivered = sa.text("dead_at IS NULL")
    op.create_index(
        "ix_delivery_order",
        "delivery",
        ["account_id", "listing_id", "notice_pk"],
        postgresql_where=undelivered,
    )
    op.create_index(
        "ix_delivery_due", "delivery", ["account_id", "next_at"], postgresql_where=undelivered
    )


def downgrade() -> None:
    for table in ("delivery", "webhook", "notice_progress", "notice"):
        op.drop_table(table)
    for name, table, _column, _where in _INDEXES:
        op.drop_index(name, table)
