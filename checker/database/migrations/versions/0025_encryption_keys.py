"""Keys that seal, the processes that hold them, and the key of the journal, which stays the same.

A kept row may be written again with the same words under another key, in a transaction that sets
`checker.seals_again`. Every other change is refused as before.

All processes of the earlier version must have stopped: they would seal without looking.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_STEPS = """
CREATE OR REPLACE FUNCTION refuse_to_change_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {unless}
    RAISE EXCEPTION 'a step of an authorization is never changed or removed';
END $$
"""
_DECISIONS = """
CREATE OR REPLACE FUNCTION refuse_to_change_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('checker.moves_months', true) = 'on' THEN
        RETURN NULL;
    END IF;
    {unless}
    RAISE EXCEPTION 'what was decided and reported is never changed; it goes with its month';
END $$
"""
_SEALED_AGAIN = """
    IF TG_OP = 'UPDATE' AND current_setting('checker.seals_again', true) = 'on' THEN
        RETURN NULL;
    END IF;
"""


def upgrade() -> None:
    op.create_table(
        "encryption_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("seals_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_encryption_key")),
    )
    op.create_table(
        "encryption_key_holder",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sealing", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_encryption_key_holder")),
    )
    op.add_column("deployment", sa.Column("sealed_journal_key", sa.LargeBinary()))
    for function in (_STEPS, _DECISIONS):
        op.execute(function.format(unless=_SEALED_AGAIN))


def downgrade() -> None:
    for function in (_STEPS, _DECISIONS):
        op.execute(function.format(unless=""))
    op.drop_column("deployment", "sealed_journal_key")
    op.drop_table("encryption_key_holder")
    op.drop_table("encryption_key")
