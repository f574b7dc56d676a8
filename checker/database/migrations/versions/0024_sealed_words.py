"""A court's words about a person are sealed: the ground of a permit, the basis of a retention.

Both tables are written anew, so that no file of PostgreSQL keeps the words in clear. Backups,
standbys and the write-ahead log of before still have them.

All processes of the earlier version must have stopped: they would write the words in clear.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SLICE_ROWS = 10_000

# The place under which the words are sealed, the table, the old column, the row's name.
_WORDS = (
    ("permit.ground", "permit", "ground", "id", "true"),
    ("directive.basis", "directive", "ground", "listing_id", "kind = 'retention'"),
)


def upgrade() -> None:
    for table in ("permit", "directive"):
        op.add_column(table, sa.Column("basis", sa.LargeBinary()))
    for words in _WORDS:
        _seal(*words)
    op.drop_column("permit", "ground")
    op.alter_column("permit", "basis", new_column_name="ground")
    op.execute("UPDATE directive SET ground = NULL WHERE kind = 'retention'")
    # An expression, or PostgreSQL would keep the old file, with the words in it.
    op.execute("ALTER TABLE permit ALTER ground TYPE bytea USING ground || ''::bytea")
    op.execute("ALTER TABLE directive ALTER basis TYPE bytea USING basis || ''::bytea")
    op.alter_column("permit", "ground", nullable=False)


def _seal(place: str, table: str, column: str, row: str, wanted: str) -> None:
    """Seal the words of a table, slice by slice, into the column `basis`."""
    seal = context.config.attributes.get("seal")
    connection = op.get_bind()
    following = sa.text(
        f"SELECT pk, {row} AS row, {column} AS words FROM {table}"  # noqa: S608 - our own names
        f" WHERE pk > :after AND {wanted} ORDER BY pk LIMIT :limit"
    )
    sealed = sa.text(
        f"UPDATE {table} SET basis = sealed.words"  # noqa: S608 - our own names
        " FROM unnest(CAST(:pks AS bigint[]), CAST(:words AS bytea[])) AS sealed(pk, words)"
        f" WHERE {table}.pk = sealed.pk"
    )
    after = 0
    while rows := connection.execute(following, {"after": after, "limit": SLICE_ROWS}).all():
        if seal is None:
            raise RuntimeError("the words that are kept need the deployment's encryption key")
        after = rows[-1].pk
        words = [seal(each.words, place, each.row) for each in rows]
        connection.execute(sealed, {"pks": [each.pk for each in rows], "words": words})


def downgrade() -> None:
    # Sealed words cannot be opened here. They stay sealed, as text.
    op.alter_column("permit", "ground", new_column_name="basis")
    op.add_column("permit", sa.Column("ground", sa.Text()))
    for table in ("permit", "directive"):
        op.execute(f"UPDATE {table} SET ground = encode(basis, 'base64') WHERE basis IS NOT NULL")  # noqa: S608 - our own names
        op.drop_column(table, "basis")
    op.alter_column("permit", "ground", nullable=False)
