"""Kinds of permits, uses that are given back, courts of accounts, and the basis of due days.

- An answer from before this version is linked to no use, so its outcome gives no use back.
- A correction from before this version keeps its due day and has no basis.

All processes of the earlier version must have stopped: they would count uses that were given back.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("courts", postgresql.ARRAY(sa.Text())))
    op.add_column("permit", sa.Column("kind", sa.Text()))
    op.create_check_constraint(
        "kind", "permit", "kind IN ('necessity', 'private_funds', 'urgent_travel')"
    )
    _number_uses()
    op.create_table(
        "permit_answer",
        sa.Column("decision_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("permit_pk", sa.BigInteger(), nullable=False),
        sa.Column("claim", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["permit_pk", "claim", "number"],
            ["permit_use.permit_pk", "permit_use.claim", "permit_use.number"],
            name=op.f("fk_permit_answer_permit_pk_permit_use"),
        ),
        sa.PrimaryKeyConstraint("decision_id", "number", name=op.f("pk_permit_answer")),
    )
    op.create_index("ix_permit_answer_use", "permit_answer", ["permit_pk", "claim", "number"])
    op.add_column("correction", sa.Column("due_basis", sa.Text()))
    op.add_column(
        "correction",
        sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_check_constraint(
        "due_basis", "correction", "due_basis IN ('calendar_roll', 'working')"
    )


def _number_uses() -> None:
    number = sa.Column("number", sa.Integer(), nullable=False, server_default="0")
    op.add_column("permit_use", number)
    op.add_column("permit_use", sa.Column("returned_at", sa.DateTime(timezone=True)))
    op.add_column("permit_use", sa.Column("returned_by", sa.UUID(as_uuid=False)))
    op.create_check_constraint(
        "returned_by_one", "permit_use", "(returned_at IS NULL) = (returned_by IS NULL)"
    )
    op.drop_constraint(op.f("pk_permit_use"), "permit_use")
    op.create_primary_key(op.f("pk_permit_use"), "permit_use", ["permit_pk", "claim", "number"])
    op.create_index(
        "uq_permit_use_in_force",
        "permit_use",
        ["permit_pk", "claim"],
        unique=True,
        postgresql_where=sa.text("returned_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_correction_due_basis"), "correction")
    op.drop_column("correction", "provisional")
    op.drop_column("correction", "due_basis")
    op.drop_table("permit_answer")
    op.execute("DELETE FROM permit_use WHERE returned_at IS NOT NULL")
    op.drop_index("uq_permit_use_in_force", "permit_use")
    op.drop_constraint(op.f("pk_permit_use"), "permit_use")
    op.create_primary_key(op.f("pk_permit_use"), "permit_use", ["permit_pk", "claim"])
    op.drop_constraint(op.f("ck_permit_use_returned_by_one"), "permit_use")
    for column in ("returned_by", "returned_at", "number"):
        op.drop_column("permit_use", column)
    op.drop_constraint(op.f("ck_permit_kind"), "permit")
    op.drop_column("permit", "kind")
    op.drop_column("account", "courts")
