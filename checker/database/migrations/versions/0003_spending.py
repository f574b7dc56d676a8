"""Spending under a cap: steps of authorizations, which nobody can change, and kept answers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authorization_step",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("authorization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_delta", sa.BigInteger(), nullable=False),
        sa.Column("captured_delta", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limit_fen", sa.BigInteger(), nullable=True),
        sa.Column("counts_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_tokens", sa.LargeBinary(), nullable=True),
        sa.Column("held_after_fen", sa.BigInteger(), nullable=True),
        sa.Column("captured_after_fen", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("jurisdiction", sa.Text(), nullable=True),
        sa.Column("venue", sa.Text(), nullable=True),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.Column("decision_id", sa.UUID(as_uuid=False), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_authorization_step_amount_fen")),
        sa.CheckConstraint(
            "kind IN ('held', 'incremented', 'captured', 'voided', 'expired', 'refunded')",
            name=op.f("ck_authorization_step_kind"),
        ),
        sa.CheckConstraint(
            "(number = 1) = (kind = 'held') AND (number = 1) = (account_id IS NOT NULL)"
            " AND (number = 1) = (decision_id IS NOT NULL)",
            name=op.f("ck_authorization_step_first_holds"),
        ),
        sa.CheckConstraint(
            "(kind IN ('held', 'incremented')) = (expires_at IS NOT NULL)"
            " AND (expires_at IS NULL) = (limit_fen IS NULL)",
            name=op.f("ck_authorization_step_holds_until"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_authorization_step_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decision.id"],
            name=op.f("fk_authorization_step_decision_id_decision"),
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_authorization_step")),
        sa.UniqueConstraint(
            "authorization_id", "number", name=op.f("uq_authorization_step_authorization_id_number")
        ),
    )
    op.create_table(
        "spending_total",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("captured_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", "counter", "day", name=op.f("pk_spending_total")),
    )
    op.create_table(
        "open_hold",
        sa.Column("authorization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("authorization_id", name=op.f("pk_open_hold")),
    )
    op.create_index("ix_open_hold_counted", "open_hold", ["token", "counter"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_idempotency_key_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_at"), "idempotency_key", ["at"], unique=False)
    op.execute(
        """
        CREATE FUNCTION refuse_to_change_steps() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a step of an authorization is never changed or removed';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER authorization_step_only_grows
        BEFORE UPDATE OR DELETE OR TRUNCATE ON authorization_step
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_steps()
        """
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_idempotency_key_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index("ix_open_hold_counted", table_name="open_hold")
    op.drop_table("open_hold")
    op.drop_table("spending_total")
    op.drop_table("authorization_step")
    op.execute("DROP FUNCTION refuse_to_change_steps()")
