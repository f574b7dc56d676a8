"""The networks from which an account may call; not set: from any address."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("networks", postgresql.ARRAY(sa.Text())))


def downgrade() -> None:
    op.drop_column("account", "networks")
