"""The instant at which an operator accepted that a change is lost.

Losses that older versions noted count as accepted, because those versions served the list then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lost_change", sa.Column("accepted_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE lost_change SET accepted_at = found_at")


def downgrade() -> None:
    op.drop_column("lost_change", "accepted_at")
