"""Histories: a random id for each change, a name for each line of versions, and lost changes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NEW_COLUMNS = ("change_id", "history")


def upgrade() -> None:
    op.create_table(
        "server_run",
        sa.Column("history", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("history", name=op.f("pk_server_run")),
        sa.UniqueConstraint("started_at", name=op.f("uq_server_run_started_at")),
    )
    op.execute(
        "INSERT INTO server_run VALUES "
        "(gen_random_uuid(), pg_postmaster_start_time(), clock_timestamp())"
    )
    for name in _NEW_COLUMNS:
        op.add_column("change", sa.Column(name, sa.Uuid(), nullable=True))
    # The changes that are there belong to the history of this run.
    op.execute(
        "UPDATE change SET change_id = gen_random_uuid(), history = server_run.history "
        "FROM server_run"
    )
    for name in _NEW_COLUMNS:
        op.alter_column("change", name, nullable=False)
    op.create_unique_constraint(op.f("uq_change_change_id"), "change", ["change_id"])
    op.create_table(
        "lost_change",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("history", sa.Uuid(), nullable=False),
        sa.Column("newest_version", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_lost_change")),
    )


def downgrade() -> None:
    op.drop_table("lost_change")
    op.drop_constraint(op.f("uq_change_change_id"), "change")
    for name in _NEW_COLUMNS:
        op.drop_column("change", name)
    op.drop_table("server_run")
