"""Issuers of the passports under which amounts count, the renewal of keys, and terms of retention.

Existing steps, sums and holds have no issuer. Their amounts count for every passport of the number,
as before. A step is never changed, so the chain of the journal stays as it is.

The renewal of keys (`checker.registry.key_renewal`) begins with the first start after the upgrade.
Nothing is purged by this migration: `checker.retention` does that when a term is over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authorization_step", sa.Column("issuer", sa.Text()))
    op.add_column("authorization_step", sa.Column("counted_issuers", sa.Text()))
    op.add_column("open_hold", sa.Column("issuer", sa.Text()))
    op.add_column(
        "spending_total", sa.Column("issuer", sa.Text(), nullable=False, server_default="")
    )
    op.drop_constraint(op.f("pk_spending_total"), "spending_total")
    op.create_primary_key(
        op.f("pk_spending_total"), "spending_total", ["token", "issuer", "counter", "day"]
    )
    for table in ("listing", "permit"):
        op.add_column(table, sa.Column("purged_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_listing_until_version_unpurged",
        "listing",
        ["until_version"],
        postgresql_where=sa.text("until_version IS NOT NULL AND purged_at IS NULL"),
    )
    op.create_table(
        "key_renewal",
        sa.Column("keys", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("keys", name=op.f("pk_key_renewal")),
    )


def downgrade() -> None:
    op.drop_table("key_renewal")
    op.drop_index("ix_listing_until_version_unpurged", "listing")
    for table in ("permit", "listing"):
        op.drop_column(table, "purged_at")
    # Sums of two issuers of one number become one.
    op.execute(
        """
        CREATE TEMPORARY TABLE summed ON COMMIT DROP AS
        SELECT token, counter, day, sum(held_fen) AS held_fen, sum(captured_fen) AS captured_fen
        FROM spending_total GROUP BY token, counter, day
        """
    )
    op.execute("DELETE FROM spending_total")
    op.drop_constraint(op.f("pk_spending_total"), "spending_total")
    op.drop_column("spending_total", "issuer")
    op.create_primary_key(op.f("pk_spending_total"), "spending_total", ["token", "counter", "day"])
    op.execute(
        "INSERT INTO spending_total (token, counter, day, held_fen, captured_fen)"
        " SELECT token, counter, day, held_fen, captured_fen FROM summed"
    )
    op.drop_column("open_hold", "issuer")
    op.drop_column("authorization_step", "counted_issuers")
    op.drop_column("authorization_step", "issuer")
