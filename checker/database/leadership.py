"""One process of a deployment leads a piece of work, by an advisory lock of its connection.

The others stand by and take over when PostgreSQL sees that connection end. A leader that freezes
loses it too, by the connection's idle time-out; so a leader says something now and then, and what
it does stands being done by two for a moment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.locks import Lock

LEADER_IDLE_S: Final = 2
"""A leader that says nothing for so long has frozen, and PostgreSQL ends its connection."""


@asynccontextmanager
async def leadership(
    engine: AsyncEngine, lock: Lock, *, idle_s: int = LEADER_IDLE_S
) -> AsyncIterator[AsyncConnection | None]:
    """Give the leader's connection, in autocommit; None: another process leads."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        wanted = text("SELECT pg_try_advisory_lock(:n)")
        held = (await connection.execute(wanted, {"n": int(lock)})).scalar_one()
        if not held:
            yield None
            return
        try:
            await connection.execute(text(f"SET idle_session_timeout = '{idle_s}s'"))
            yield connection
        finally:
            # Never back to the pool: the lock and the time-out are the session's.
            await connection.invalidate()
