"""The kind of a listing: an entry of the list of the dishonest, or an order.

All listings from before are entries. The default writes no row: PostgreSQL notes it once for all
rows, and the earlier version goes on writing entries.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KIND = "kind = 'consumption_order' OR (kind = 'dishonest' AND items IS NULL AND starts_on IS NULL)"


def upgrade() -> None:
    op.add_column(
        "listing",
        sa.Column("kind", sa.Text(), nullable=False, server_default=sa.text("'dishonest'")),
    )
    op.add_column("listing", sa.Column("items", postgresql.ARRAY(sa.Text())))
    op.add_column("listing", sa.Column("starts_on", sa.Date()))
    op.create_check_constraint("kind", "listing", _KIND)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_listing_kind"), "listing")
    op.drop_column("listing", "starts_on")
    op.drop_column("listing", "items")
    op.drop_column("listing", "kind")
