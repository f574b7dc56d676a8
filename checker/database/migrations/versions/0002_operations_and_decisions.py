"""Operations of the feed (permits, bindings, directives), outlines, and kept decisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "followed_source",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_followed_source")),
    )
    op.create_table(
        "outline",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("outline", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_outline")),
    )
    op.create_table(
        "registry_lease",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_registry_lease")),
    )
    op.create_table(
        "bound_document",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("until_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "until_version > from_version", name=op.f("ck_bound_document_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["from_version"], ["change.version"], name=op.f("fk_bound_document_from_version_change")
        ),
        sa.ForeignKeyConstraint(
            ["until_version"],
            ["change.version"],
            name=op.f("fk_bound_document_until_version_change"),
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_bound_document")),
    )
    op.create_index(op.f("ix_bound_document_person"), "bound_document", ["person"], unique=False)
    op.create_index(op.f("ix_bound_document_token"), "bound_document", ["token"], unique=False)
    op.create_index(
        "uq_bound_document_in_force",
        "bound_document",
        ["token"],
        unique=True,
        postgresql_where=sa.text("until_version IS NULL"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("permit_id", sa.Text(), nullable=True),
        sa.Column("list_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_decision_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["list_version"], ["change.version"], name=op.f("fk_decision_list_version_change")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_table(
        "directive",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.Column("measures", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("until_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('shielding', 'fulfilment', 'delisting', 'retention')",
            name=op.f("ck_directive_kind"),
        ),
        sa.CheckConstraint(
            "until_version > from_version", name=op.f("ck_directive_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["from_version"], ["change.version"], name=op.f("fk_directive_from_version_change")
        ),
        sa.ForeignKeyConstraint(
            ["until_version"], ["change.version"], name=op.f("fk_directive_until_version_change")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_directive")),
    )
    op.create_index(op.f("ix_directive_listing_id"), "directive", ["listing_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("outline", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version"], ["change.version"], name=op.f("fk_outbox_version_change")
        ),
        sa.PrimaryKeyConstraint("version", "token", name=op.f("pk_outbox")),
    )
    op.create_table(
        "permit",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=True),
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("until_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("uses >= 1", name=op.f("ck_permit_uses")),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_permit_ends_after_it_begins")),
        sa.ForeignKeyConstraint(
            ["from_version"], ["change.version"], name=op.f("fk_permit_from_version_change")
        ),
        sa.ForeignKeyConstraint(
            ["until_version"], ["change.version"], name=op.f("fk_permit_until_version_change")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_permit")),
        sa.UniqueConstraint("id", name=op.f("uq_permit_id")),
    )
    op.create_index(op.f("ix_permit_token"), "permit", ["token"], unique=False)
    op.create_table(
        "permit_use",
        sa.Column("permit_pk", sa.BigInteger(), nullable=False),
        sa.Column("claim", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["permit_pk"], ["permit.pk"], name=op.f("fk_permit_use_permit_pk_permit")
        ),
        sa.PrimaryKeyConstraint("permit_pk", "claim", name=op.f("pk_permit_use")),
    )
    op.create_index(op.f("ix_listing_id"), "listing", ["id"], unique=False)
    op.add_column("quarantine", sa.Column("resolved_version", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_quarantine_resolved_version_change"),
        "quarantine",
        "change",
        ["resolved_version"],
        ["version"],
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_quarantine_resolved_version_change"), "quarantine", type_="foreignkey"
    )
    op.drop_column("quarantine", "resolved_version")
    op.drop_index(op.f("ix_listing_id"), table_name="listing")
    op.drop_table("permit_use")
    op.drop_index(op.f("ix_permit_token"), table_name="permit")
    op.drop_table("permit")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_directive_listing_id"), table_name="directive")
    op.drop_table("directive")
    op.drop_table("decision")
    op.drop_index(
        "uq_bound_document_in_force",
        table_name="bound_document",
        postgresql_where=sa.text("until_version IS NULL"),
    )
    op.drop_index(op.f("ix_bound_document_token"), table_name="bound_document")
    op.drop_index(op.f("ix_bound_document_person"), table_name="bound_document")
    op.drop_table("bound_document")
    op.drop_table("registry_lease")
    op.drop_table("outline")
    op.drop_table("followed_source")
