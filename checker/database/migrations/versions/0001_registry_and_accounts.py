"""Tables of the registry and of accounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "role IN ('institution', 'court', 'operator', 'auditor')", name=op.f("ck_account_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "change",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_change")),
    )
    op.create_table(
        "deployment",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("token_key_fingerprint", sa.Text(), nullable=False),
        sa.Column("sealed_probe", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_deployment_one_row")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_deployment")),
    )
    op.create_table(
        "api_key",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("jurisdiction", sa.Text(), nullable=True),
        sa.Column("items_per_minute", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("items_per_minute >= 0", name=op.f("ck_api_key_items_per_minute")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_api_key_account_id_account")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_index(op.f("ix_api_key_account_id"), "api_key", ["account_id"], unique=False)
    op.create_table(
        "listing",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("party_type", sa.Text(), nullable=False),
        sa.Column("party_name", sa.LargeBinary(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("until_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "party_type IN ('person', 'organization')", name=op.f("ck_listing_party_type")
        ),
        sa.CheckConstraint(
            "until_version > from_version", name=op.f("ck_listing_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["from_version"], ["change.version"], name=op.f("fk_listing_from_version_change")
        ),
        sa.ForeignKeyConstraint(
            ["until_version"], ["change.version"], name=op.f("fk_listing_until_version_change")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_listing")),
    )
    op.create_index(
        "uq_listing_id_in_force",
        "listing",
        ["id"],
        unique=True,
        postgresql_where=sa.text("until_version IS NULL"),
    )
    op.create_table(
        "quarantine",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["change.version"], name=op.f("fk_quarantine_version_change")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "officer_link",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("listing_pk", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_pk"],
            ["listing.pk"],
            name=op.f("fk_officer_link_listing_pk_listing"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_officer_link")),
    )
    op.create_index(
        op.f("ix_officer_link_listing_pk"), "officer_link", ["listing_pk"], unique=False
    )
    op.create_table(
        "document",
        sa.Column("listing_pk", sa.BigInteger(), nullable=False),
        sa.Column("officer_pk", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("name_token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_pk"],
            ["listing.pk"],
            name=op.f("fk_document_listing_pk_listing"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["officer_pk"],
            ["officer_link.pk"],
            name=op.f("fk_document_officer_pk_officer_link"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_document_listing_pk"), "document", ["listing_pk"], unique=False)
    op.create_index(op.f("ix_document_token"), "document", ["token"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_document_token"), table_name="document")
    op.drop_index(op.f("ix_document_listing_pk"), table_name="document")
    op.drop_table("document")
    op.drop_index(op.f("ix_officer_link_listing_pk"), table_name="officer_link")
    op.drop_table("officer_link")
    op.drop_table("quarantine")
    op.drop_index(
        "uq_listing_id_in_force",
        table_name="listing",
        postgresql_where=sa.text("until_version IS NULL"),
    )
    op.drop_table("listing")
    op.drop_index(op.f("ix_api_key_account_id"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("deployment")
    op.drop_table("change")
    op.drop_table("account")
