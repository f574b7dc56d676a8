"""Scopes and quotas of accounts, expiry, rotation and last use of keys, flags."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COUNTED = ("account", "api_key", "account_flag")


def upgrade() -> None:
    op.add_column(
        "account", sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False)
    )
    op.create_unique_constraint(op.f("uq_account_number"), "account", ["number"])
    op.add_column("account", sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("account", sa.Column("jurisdiction", sa.Text(), nullable=True))
    op.add_column(
        "account",
        sa.Column("items_per_minute", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column(
        "account", sa.Column("items_per_day", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("account", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_account_items"), "account", "items_per_minute >= 0 AND items_per_day >= 0"
    )
    op.add_column(
        "api_key",
        sa.Column(
            "id",
            sa.UUID(as_uuid=False),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
        ),
    )
    op.create_unique_constraint(op.f("uq_api_key_id"), "api_key", ["id"])
    op.add_column("api_key", sa.Column("prefix", sa.Text(), nullable=True))
    op.add_column(
        "api_key", sa.Column("items_per_day", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("api_key", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_key", sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_api_key_items_per_day"), "api_key", "items_per_day >= 0")
    op.create_table(
        "key_use",
        sa.Column("key_pk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_pk"], ["api_key.pk"], name=op.f("fk_key_use_key_pk_api_key")),
        sa.PrimaryKeyConstraint("key_pk", name=op.f("pk_key_use")),
    )
    op.create_table(
        "account_flag",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slowed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("marked", sa.BigInteger(), nullable=False),
        sa.Column("kind_share", sa.Double(), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ground IN ('adverse_share', 'mismatch_share')", name=op.f("ck_account_flag_ground")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_account_flag_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["cleared_by"], ["account.id"], name=op.f("fk_account_flag_cleared_by_account")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_account_flag")),
    )
    op.create_index(
        "ix_account_flag_open",
        "account_flag",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    _count_changes()


def _count_changes() -> None:
    """Count, in a row that every change locks, so that a later one is never seen without it."""
    op.create_table(
        "access_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_access_version")),
    )
    op.execute("INSERT INTO access_version VALUES (1)")
    op.execute(
        """
        CREATE FUNCTION count_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE access_version SET version = version + 1;
            RETURN NULL;
        END $$
        """
    )
    for table in _COUNTED:
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_counted
            AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION count_access_change()
            """
        )


def downgrade() -> None:
    for table in _COUNTED:
        op.execute(f"DROP TRIGGER {table}_is_counted ON {table}")
    op.execute("DROP FUNCTION count_access_change()")
    op.drop_table("access_version")
    op.drop_table("account_flag")
    op.drop_table("key_use")
    op.drop_constraint(op.f("ck_api_key_items_per_day"), "api_key")
    for column in ("rotated_at", "expires_at", "items_per_day", "prefix", "id"):
        op.drop_column("api_key", column)
    op.drop_constraint(op.f("ck_account_items"), "account")
    for column in (
        "disabled_at",
        "items_per_day",
        "items_per_minute",
        "jurisdiction",
        "services",
        "number",
    ):
        op.drop_column("account", column)
