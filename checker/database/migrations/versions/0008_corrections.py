"""Corrections: what was asked for, about which listings, and what the court ruled."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("decision_id", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("ground", sa.LargeBinary(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=True),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruled_by", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("ruling IN ('upheld', 'rejected')", name=op.f("ck_correction_ruling")),
        sa.CheckConstraint(
            "(ruling IS NULL) = (ruled_at IS NULL) AND (ruling IS NULL) = (ruled_by IS NULL)",
            name=op.f("ck_correction_ruled_once"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_correction_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["ruled_by"], ["account.id"], name=op.f("fk_correction_ruled_by_account")
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["change.version"], name=op.f("fk_correction_version_change")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_correction")),
        sa.UniqueConstraint("id", name=op.f("uq_correction_id")),
    )
    op.create_index(
        "uq_correction_request_open",
        "correction",
        ["request"],
        unique=True,
        postgresql_where=sa.text("ruling IS NULL"),
    )
    op.create_index(
        "ix_correction_due_on_open",
        "correction",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("ruling IS NULL"),
    )
    op.create_index(
        "ix_correction_received_at_keyless",
        "correction",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("account_id IS NULL"),
    )
    op.create_table(
        "correction_listing",
        sa.Column("correction_pk", sa.BigInteger(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("delisted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_pk"],
            ["correction.pk"],
            name=op.f("fk_correction_listing_correction_pk_correction"),
        ),
        sa.PrimaryKeyConstraint("correction_pk", "listing_id", name=op.f("pk_correction_listing")),
    )
    op.create_index(
        op.f("ix_correction_listing_listing_id"), "correction_listing", ["listing_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("correction_listing")
    op.drop_table("correction")
