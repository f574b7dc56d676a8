"""The shape of each masked number, and the markers of shapes among the outlines.

Rows that are older than the column have the shape `any`, because only the keys of the deployment
could read theirs. A masked number of this shape stands for every shape, so all markers are written
if there is one. The default writes no row: PostgreSQL notes it once for all rows.

All processes of the earlier version must have stopped. Two rules of the schema keep the list whole
if one still runs, because the earlier version knows no markers:

- The constraint refuses every new masked number without a shape.
- The trigger keeps markers where a snapshot of the earlier version would delete them. A marker is
  the only outline without a link.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# `checker.registry.shape_markers.MARKERS`, as they were when this was written.
_MARKERS = (
    "cbfd91ebc1b6160a26aaa80ced47bcda",
    "9baf5457bc874d88e0582b7455e7f787",
    "8b5e2f2012f450a7b1c15c9f3cd0dd76",
    "e26463b91c4e6855b6e3b727b88b5285",
)


_TRIGGER = (
    """
    CREATE FUNCTION keep_markers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER markers_stay BEFORE DELETE ON outline
    FOR EACH ROW WHEN (OLD.outline = '\\x01') EXECUTE FUNCTION keep_markers()
    """,
)


def upgrade() -> None:
    op.add_column("document", sa.Column("shape", sa.Text(), server_default="any"))
    op.alter_column("document", "shape", server_default=None)
    op.create_check_constraint("shape", "document", "NOT masked OR shape IS NOT NULL")
    for marker in _MARKERS:
        op.execute(
            sa.text(
                "INSERT INTO outline (token, outline)"
                " SELECT decode(:marker, 'hex'), decode('01', 'hex')"
                " WHERE EXISTS (SELECT FROM document WHERE masked)"
            ).bindparams(marker=marker)
        )
    for statement in _TRIGGER:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER markers_stay ON outline")
    op.execute("DROP FUNCTION keep_markers()")
    for marker in _MARKERS:
        op.execute(
            sa.text("DELETE FROM outline WHERE token = decode(:marker, 'hex')").bindparams(
                marker=marker
            )
        )
    op.drop_constraint(op.f("ck_document_shape"), "document")
    op.drop_column("document", "shape")
