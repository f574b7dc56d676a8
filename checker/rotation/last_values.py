"""Proves that no value is left under an older key, and refuses values that would still come.

A process may have sealed a value before it learned of the newest key, and write the value later.
So each sealed column gets a constraint that refuses values under older keys. PostgreSQL then looks
at every row that is there (`VALIDATE CONSTRAINT`). The constraint stays until the next rotation
replaces it.
"""

import asyncio
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.errors import Conflict, Unavailable
from checker.rotation.places import SealedColumn

LOCK_WAIT: Final = "100ms"
"""How long a new constraint waits for its lock. Others wait behind it, half a second at most."""

TRIES_MAX: Final = 100
PAUSE_S: Final = 0.2
"""Between two tries, so that the holder of the table can go on."""

_CHECK_VIOLATION: Final = "23514"
_LOCK_NOT_AVAILABLE: Final = "55P03"


async def refuse_older(engine: AsyncEngine, column: SealedColumn, number: int) -> None:
    """Let a column refuse values under keys before `number`, and prove that it has none.

    Raises:
        Conflict: a value is left.
        Unavailable: somebody holds the table all the time.
    """
    name = f"ck_{column.table}_{column.column}_sealed"
    value = column.column
    newer = f"get_byte({value}, 0) IN (2, 3) AND get_byte({value}, 1) >= {number}"
    # A value of a purged row is empty, and has no byte to read.
    holds = f"CASE WHEN {value} = '' THEN true ELSE {newer} END"
    await _alter(
        engine,
        column.table,
        f"DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({holds}) NOT VALID",
    )
    try:
        await _alter(engine, column.table, f"VALIDATE CONSTRAINT {name}")
    except DBAPIError as error:
        if _code(error) != _CHECK_VIOLATION:
            raise
        raise Conflict(f"{column.name} has a value under an older key: run this again") from error


async def _alter(engine: AsyncEngine, table: str, change: str) -> None:
    for _ in range(TRIES_MAX):
        try:
            async with engine.begin() as connection:
                await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
                await connection.execute(text(f"ALTER TABLE {table} {change}"))
                return
        except DBAPIError as error:
            if _code(error) != _LOCK_NOT_AVAILABLE:
                raise
        await asyncio.sleep(PAUSE_S)
    raise Unavailable(f"somebody holds the table {table} all the time: run this again later")


def _code(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
