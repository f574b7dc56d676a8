"""The journal: which rows the service has written, entry by entry, under a chain of digests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# The content of an entry is never changed; its link is written once.
_GUARD = (
    """
    CREATE FUNCTION refuse_to_change_journal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'an entry of the journal is never changed or removed';
    END $$
    """,
    """
    CREATE TRIGGER journal_only_grows BEFORE DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_journal()
    """,
    """
    CREATE TRIGGER journal_is_linked_once
    BEFORE UPDATE OF nonce, area, version, keys, digests, mac ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_journal()
    """,
)


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digests", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("link", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_journal")),
        sa.UniqueConstraint("number", name=op.f("uq_journal_number")),
    )
    op.create_index(
        "ix_journal_waiting", "journal", ["pk"], postgresql_where=sa.text("number IS NULL")
    )
    # Since when there is a journal; not set: the next start enters what stands in the tables.
    op.add_column("deployment", sa.Column("journaled_at", sa.DateTime(timezone=True)))
    for statement in _GUARD:
        op.execute(statement)


def downgrade() -> None:
    op.drop_column("deployment", "journaled_at")
    op.drop_table("journal")
    op.execute("DROP FUNCTION refuse_to_change_journal()")
