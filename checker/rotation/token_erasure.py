"""Erases the tokens of the key before, which nobody reads any more, from disk too.

A column that is only dropped stays in the rows until they are written again. So the rows are
written without it first, and the dead rows are vacuumed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.errors import Conflict
from checker.rotation.altering import MAY_SEAL_AGAIN, alter
from checker.rotation.token_copy import BLOCKS, blocks_of
from checker.rotation.token_tables import TokenPlace, old_column

WALKS_MAX: Final = 50
PAUSE_S: Final = 0.5
"""Between two walks, where a row is left that somebody held."""

_HAS_COLUMN = text(
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = CAST(:table AS regclass)"
    " AND attname = :column AND NOT attisdropped)"
)


async def erase_old(engine: AsyncEngine, table: TokenPlace, progress: Callable[[int], None]) -> int:
    """Erase a table's columns of the key before; return the number of rows. Nothing: 0.

    Rows that somebody holds are taken by a further walk.

    Raises:
        Conflict: somebody has held a row through all walks.
    """
    wanted = {"table": table.table, "column": old_column(table.first)}
    async with engine.connect() as connection:
        if not (await connection.execute(_HAS_COLUMN, wanted)).scalar_one():
            return 0
    erased = 0
    for _ in range(WALKS_MAX):
        of_walk = 0
        async for count in _walk(engine, table):
            of_walk += count
            progress(erased + of_walk)
        erased += of_walk
        if not await _is_left(engine, table):
            break
        await asyncio.sleep(PAUSE_S)
    else:
        raise Conflict(f"somebody holds rows of {table.table} all the time: run this again")
    await _vacuum(engine, table)
    await alter(
        engine,
        table.table,
        ", ".join(f"DROP COLUMN IF EXISTS {old_column(each)}" for each in table.columns),
    )
    return erased


async def _walk(engine: AsyncEngine, table: TokenPlace) -> AsyncIterator[int]:
    nothing = ", ".join(f"{old_column(each)} = NULL" for each in table.columns)
    for start in range(0, await blocks_of(engine, table.table), BLOCKS):
        began_at = time.monotonic()
        held = (
            f"SELECT ctid FROM {table.table} WHERE ctid >= '({start},0)'"  # noqa: S608 - our own names
            f" AND ctid < '({start + BLOCKS},0)' AND {old_column(table.first)} IS NOT NULL"
            " FOR NO KEY UPDATE SKIP LOCKED"
        )
        async with engine.begin() as connection:
            await connection.execute(MAY_SEAL_AGAIN)
            done = await connection.execute(
                text(f"UPDATE {table.table} SET {nothing} WHERE ctid = ANY(ARRAY({held}))")  # noqa: S608 - our own names
            )
        if done.rowcount:
            yield done.rowcount
            await asyncio.sleep(time.monotonic() - began_at)


async def _is_left(engine: AsyncEngine, table: TokenPlace) -> bool:
    async with engine.connect() as connection:
        statement = text(
            f"SELECT EXISTS (SELECT FROM {table.table} WHERE {old_column(table.first)} IS NOT NULL)"  # noqa: S608 - our own names
        )
        is_left: bool = (await connection.execute(statement)).scalar_one()
    return is_left


async def _vacuum(engine: AsyncEngine, table: TokenPlace) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"VACUUM {table.table}"))
