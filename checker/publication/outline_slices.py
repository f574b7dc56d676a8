"""Reads all outlines in the order of their stored tokens, in slices, and rests between the slices.

The cache takes stored tokens as PostgreSQL has them, so nothing is decrypted here, nor encrypted.

PostgreSQL reads a slice only when it is asked for one. So PostgreSQL, this process and Redis work
on the list in turn, and never keep more than one processor busy at the same time. A rest follows
each slice, and is longer where the slice was slow: a slow slice means that others need the machine.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import StoredToken

Slice: TypeAlias = Sequence[tuple[StoredToken, bytes]]
"""Stored tokens and their outlines, in the order of the stored tokens."""

SLICE_ROWS = 1024
"""PostgreSQL reads so many rows in half a millisecond; they are laid out in a millisecond."""

REST_SHARE = 2.0
"""A rest, in times of its slice: ten million persons take about a minute."""

REST_S_MAX = 0.1
"""After a slice that waited for a frozen server, the next one must not wait as long again."""

_STATEMENT = "SELECT token, outline FROM outline ORDER BY token"


async def outlines(connection: AsyncConnection) -> AsyncGenerator[Slice, None]:
    """Yield the outlines by stored token, as the connection's transaction sees them.

    A reader may stop between two slices and go on with the transaction.
    """
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    # The driver's own rows: SQLAlchemy would take several times as long for each.
    cursor = await driver.cursor(_STATEMENT)
    while rows := await cursor.fetch(SLICE_ROWS):
        yield rows


async def with_rests(
    slices: AsyncGenerator[Slice, None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Slice, None]:
    """Yield the slices, and rest after each for a share of the time that it took.

    The time includes all that the reader does with the slice before it asks for the next one.
    """
    began_at = clock()
    async for each in slices:
        yield each
        await sleep(min(REST_SHARE * (clock() - began_at), REST_S_MAX))
        began_at = clock()
