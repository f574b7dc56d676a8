"""Reconciliations: how far each came, and what of it was adverse; the list by instants."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("adverse", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'interrupted')", name=op.f("ck_reconciliation_status")
        ),
        sa.CheckConstraint(
            "(status = 'interrupted') = (reason IS NOT NULL)", name=op.f("ck_reconciliation_reason")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_reconciliation_account_id_account")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_reconciliation")),
        sa.UniqueConstraint("id", name=op.f("uq_reconciliation_id")),
    )
    op.create_index(
        op.f("ix_reconciliation_account_id"), "reconciliation", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_reconciliation_created_at"), "reconciliation", ["created_at"], unique=False
    )
    op.create_table(
        "reconciliation_result",
        sa.Column("reconciliation_pk", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("jurisdiction", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("list_version", sa.BigInteger(), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "(error IS NULL) = (decision IS NOT NULL)",
            name=op.f("ck_reconciliation_result_either_way"),
        ),
        sa.ForeignKeyConstraint(
            ["list_version"],
            ["change.version"],
            name=op.f("fk_reconciliation_result_list_version_change"),
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_pk"],
            ["reconciliation.pk"],
            name=op.f("fk_reconciliation_result_reconciliation_pk_reconciliation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reconciliation_pk", "line", name=op.f("pk_reconciliation_result")),
    )
    op.create_index("ix_change_at", "change", ["at", "version"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_change_at", table_name="change")
    op.drop_table("reconciliation_result")
    op.drop_table("reconciliation")
