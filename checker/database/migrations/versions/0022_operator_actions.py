"""The log of operators' actions, which nobody can change, and an index of case numbers.

Actions of before are not in the log. They stand in the log lines of their processes alone. The
index lets the console find listings by their case number.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator_action",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("key_pk", sa.BigInteger()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "door IN ('api', 'console', 'command')", name=op.f("ck_operator_action_door")
        ),
        sa.CheckConstraint(
            "outcome IN ('done', 'begun', 'failed')", name=op.f("ck_operator_action_outcome")
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (door = 'command')", name=op.f("ck_operator_action_author")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_operator_action_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["key_pk"], ["api_key.pk"], name=op.f("fk_operator_action_key_pk_api_key")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_operator_action")),
    )
    op.create_index("ix_operator_action_target", "operator_action", ["target", "pk"])
    op.execute(
        """
        CREATE FUNCTION refuse_to_change_actions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'an operator''s action in the log is never changed or removed';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER operator_action_only_grows
        BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_action
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_actions()
        """
    )
    op.create_index("ix_listing_case_number", "listing", ["case_number"])


def downgrade() -> None:
    op.drop_index("ix_listing_case_number", "listing")
    op.drop_table("operator_action")
    op.execute("DROP FUNCTION refuse_to_change_actions()")
