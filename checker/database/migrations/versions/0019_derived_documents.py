"""Rows that repeat a masked number under a further key (`checker.domain.masking`).

All rows from before are the document itself. The default writes no row: PostgreSQL notes it once
for all rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "document",
        sa.Column("derived", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


def downgrade() -> None:
    op.execute("DELETE FROM document WHERE derived")
    op.drop_column("document", "derived")
