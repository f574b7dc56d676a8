"""Advisory locks of PostgreSQL that processes of one deployment hold against each other.

They belong to a connection: a process that dies gives its locks back with it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Lock(IntEnum):
    """The numbers of our locks; the first half spells `chkr`."""

    MIGRATION = 0x63686B72_00000001
    # Who numbers a change of the list: one at a time, from the number to the commit.
    LIST_WRITER = 0x63686B72_00000002
    # Who brings changes to the cache: one process of the deployment.
    PUBLISHER = 0x63686B72_00000003
    # Who makes links of the chain over decisions: one at a time, from the head to the commit.
    CHAIN = 0x63686B72_00000004
    # Who keeps the audit in order: one process of the deployment.
    AUDIT_KEEPER = 0x63686B72_00000005
    # Who takes in a correction: what was filed before is counted, and numbered in order.
    CORRECTIONS = 0x63686B72_00000006
    # Who writes notices and sends them: one process of the deployment.
    NOTICE_KEEPER = 0x63686B72_00000007
    # Who writes notices: one at a time, from where it goes on to the commit.
    NOTICE_WRITER = 0x63686B72_00000008


LIST_IDLE_MS_MAX = 30_000
"""A process that stops while it holds the list's lock loses its transaction, and the lock, so soon.

The longest pause that is honest is that of a strict feed of 10 000 lines between two statements.
"""


@asynccontextmanager
async def hold(engine: AsyncEngine, lock: Lock) -> AsyncIterator[None]:
    """Wait for the lock and hold it in a connection of its own."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": int(lock)})
        try:
            yield
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": int(lock)})


async def hold_to_commit(connection: AsyncConnection, lock: Lock) -> None:
    """Wait for the lock and hold it until the connection's transaction ends, however it ends.

    PostgreSQL ends the transaction of `Lock.LIST_WRITER` when the holder is silent for too long:
    a frozen process must not keep a delisting waiting.
    """
    if lock is Lock.LIST_WRITER:
        await connection.execute(_HOLD_LIST, {"n": int(lock), "idle_ms": str(LIST_IDLE_MS_MAX)})
        return
    await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": int(lock)})


_HOLD_LIST = text(
    "SELECT set_config('idle_in_transaction_session_timeout', CAST(:idle_ms AS text), true),"
    " pg_advisory_xact_lock(:n)"
)
