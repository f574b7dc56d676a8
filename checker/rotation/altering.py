"""Changes a table while others use it: waits a moment for its lock, gives way, and tries again."""

import asyncio
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.errors import Unavailable

LOCK_WAIT: Final = "100ms"
"""How long a change waits for its lock. Others wait behind it, half a second at most."""

TRIES_MAX: Final = 100
PAUSE_S: Final = 0.2
"""Between two tries, so that the holder of the table can go on."""

MAY_SEAL_AGAIN: Final = text("SELECT set_config('checker.seals_again', 'on', true)")
"""Lets a transaction store the same content under another key in rows that are never changed."""

_LOCK_NOT_AVAILABLE: Final = "55P03"


async def alter(engine: AsyncEngine, table: str, change: str) -> None:
    """Change a table by `ALTER TABLE`, in a transaction of its own.

    Raises:
        Unavailable: somebody holds the table all the time.
    """
    for _ in range(TRIES_MAX):
        try:
            async with engine.begin() as connection:
                await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
                await connection.execute(text(f"ALTER TABLE {table} {change}"))
                return
        except DBAPIError as error:
            if not is_locked(error):
                raise
        await asyncio.sleep(PAUSE_S)
    raise Unavailable(f"somebody holds the table {table} all the time: run this again later")


def is_locked(error: DBAPIError) -> bool:
    """Return whether a statement gave up waiting for a lock."""
    return sqlstate_of(error) == _LOCK_NOT_AVAILABLE


def sqlstate_of(error: DBAPIError) -> str | None:
    """Return the code of PostgreSQL for an error of the driver."""
    code: str | None = getattr(error.orig, "sqlstate", None)
    return code
