"""Gives the tables back the constraints that a swap leaves open, because they look at all rows.

PostgreSQL looks at all rows for `SET NOT NULL` and for a primary key, and the whole service would
wait. So the swap demands tokens of new rows alone (`CHECK … NOT VALID`). Then PostgreSQL looks at
the older rows while others read and write, and the constraints of the schema follow in an instant.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.rotation.altering import alter
from checker.rotation.token_tables import TokenPlace

_UNPROVEN: Final = text(
    "SELECT CAST(conname AS text) FROM pg_constraint"
    " WHERE conrelid = CAST(:table AS regclass) AND contype = 'c' AND NOT convalidated"
)
_NULLABLE: Final = text(
    "SELECT CAST(attname AS text) FROM pg_attribute"
    " WHERE attrelid = CAST(:table AS regclass) AND NOT attnotnull"
    " AND attname = ANY(CAST(:columns AS text[]))"
)
_HAS_KEY: Final = text(
    "SELECT EXISTS (SELECT FROM pg_constraint"
    " WHERE conrelid = CAST(:table AS regclass) AND contype = 'p')"
)


def required_check(table: str, column: str) -> str:
    """Return the name of the constraint that stands for NOT NULL for a while."""
    return f"ck_{table}_{column}_required"


def key_name(table: str) -> str:
    """Return the name of a table's primary key, and of its index."""
    return f"pk_{table}"


async def close_constraints(engine: AsyncEngine, place: TokenPlace) -> None:
    """Prove what a swap has left open, and bring NOT NULL and the primary key back.

    Does nothing where nothing is open. A call that was interrupted is gone on with by the next one.

    Raises:
        Unavailable: somebody holds the table all the time.
    """
    async with engine.connect() as connection:
        unproven = await _names(connection, _UNPROVEN, place)
        nullable = await _names(connection, _NULLABLE, place)
        has_key = (await connection.execute(_HAS_KEY, {"table": place.table})).scalar_one()
    for name in unproven:
        await alter(engine, place.table, f"VALIDATE CONSTRAINT {name}")
    for column in nullable:
        # PostgreSQL knows by the constraint that no row is NULL, and looks at none.
        await alter(engine, place.table, f"ALTER COLUMN {column} SET NOT NULL")
    for column in place.required:
        name = required_check(place.table, column)
        await alter(engine, place.table, f"DROP CONSTRAINT IF EXISTS {name}")
    if place.is_key and not has_key:
        name = key_name(place.table)
        await alter(engine, place.table, f"ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}")


async def _names(
    connection: AsyncConnection, query: TextClause, place: TokenPlace
) -> Sequence[str]:
    wanted = {"table": place.table, "columns": list(place.required)}
    return (await connection.execute(query, wanted)).scalars().all()
