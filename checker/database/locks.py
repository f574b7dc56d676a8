"""Advisory locks of PostgreSQL that processes of one deployment hold against each other.

A lock belongs to a connection, so a process that dies gives its locks back.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Lock(IntEnum):
    """The numbers of our locks; the first half spells `chkr`."""

    MIGRATION = 0x63686B72_00000001
    # Numbers a change of the list: one holder at a time, from the number to the commit.
    LIST_WRITER = 0x63686B72_00000002
    # Brings changes to the cache: one process of the deployment.
    PUBLISHER = 0x63686B72_00000003
    # Makes links of the chain over decisions: one holder at a time, from head to commit.
    CHAIN = 0x63686B72_00000004
    # Keeps the audit in order: one process of the deployment.
    AUDIT_KEEPER = 0x63686B72_00000005
    # Takes in a correction: earlier filings are counted, and numbered in order.
    CORRECTIONS = 0x63686B72_00000006
    # Writes notices and sends them: one process of the deployment.
    NOTICE_KEEPER = 0x63686B72_00000007
    # Writes notices: one holder at a time, from the position to the commit.
    NOTICE_WRITER = 0x63686B72_00000008
    # Changes the keys that are needed, or lets a process join: one holder at a time.
    ENCRYPTION_KEYS = 0x63686B72_00000009
    # Replaces the encryption key: one process of the deployment.
    ROTATION = 0x63686B72_0000000A
    # Removes personal data whose time is over: one process of the deployment.
    RETENTION = 0x63686B72_0000000B


LIST_IDLE_MS_MAX = 30_000
"""A process that freezes while it holds the list's lock loses transaction and lock after this time.

The longest honest pause is that of a strict feed of 10 000 lines between two statements.
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
