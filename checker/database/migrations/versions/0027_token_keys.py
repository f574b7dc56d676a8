"""Keys of stored tokens that can be replaced, and the fence around the current key.

All stored tokens are those of key 1, so nothing is written anew. A step of spending still never
changes; its stored tokens alone can be put under another key, and those of key 1 are the tokens
themselves. So the trigger compares the rows without them (`checker.rotation`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TOKENS = "ARRAY['token_next', 'counted_tokens_next', 'token_old', 'counted_tokens_old']"
_STEPS = (
    "DROP TRIGGER authorization_step_only_grows ON authorization_step",
    """
    CREATE TRIGGER authorization_step_only_grows BEFORE DELETE OR TRUNCATE ON authorization_step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_steps()
    """,
    # The columns beside the tokens, by name: a replacement of the key adds and removes them.
    f"""
    CREATE TRIGGER authorization_step_is_fixed BEFORE UPDATE ON authorization_step
    FOR EACH ROW WHEN (to_jsonb(OLD) - {_TOKENS} IS DISTINCT FROM to_jsonb(NEW) - {_TOKENS})
    EXECUTE FUNCTION refuse_to_change_steps()
    """,
)


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
    for statement in _STEPS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER authorization_step_is_fixed ON authorization_step")
    op.execute("DROP TRIGGER authorization_step_only_grows ON authorization_step")
    op.execute(
        """
        CREATE TRIGGER authorization_step_only_grows
        BEFORE UPDATE OR DELETE OR TRUNCATE ON authorization_step
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_steps()
        """
    )
    op.drop_table("token_fence_1")
    op.drop_table("token_key")
