"""Keys of stored tokens that can be replaced, and the fence around the current key.

All stored tokens are those of key 1, so nothing is written anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_from", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_token_key")),
    )
    op.create_table("token_fence_1", sa.Column("nothing", sa.Boolean()))
    op.execute(
        "INSERT INTO token_key (number, fingerprint, added_at, current_from)"
        " SELECT 1, token_key_fingerprint, clock_timestamp(), clock_timestamp() FROM deployment"
    )


def downgrade() -> None:
    op.drop_table("token_fence_1")
    op.drop_table("token_key")
