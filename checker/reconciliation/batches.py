"""Lines on their way: in batches, and in a queue where nobody waits for them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from checker.errors import InvalidRequest
from checker.reconciliation.past_sale import Line

BATCH_LINES: Final = 500
"""Judged together, in some tens of milliseconds."""

BATCH_BYTES: Final = 256 * 1024

QUEUED_BATCHES_MAX: Final = 40
"""10 MiB at most, and 20 000 lines as they are."""


IDLE_S: Final = 60.0
"""So long a sender may pause: few can run at once, and who sends nothing keeps others out."""


async def in_batches(lines: AsyncIterator[Line]) -> AsyncIterator[list[Line]]:
    """Put lines together; a transfer that is cut off takes the lines with it that wait."""
    held: list[Line] = []
    held_bytes = 0
    async for number, line in lines:
        held.append((number, line))
        held_bytes += len(line or b"")
        if len(held) >= BATCH_LINES or held_bytes >= BATCH_BYTES:
            yield held
            held, held_bytes = [], 0
    if held:
        yield held


async def unless_idle(
    chunks: AsyncIterator[bytes], *, idle_s: float = IDLE_S
) -> AsyncIterator[bytes]:
    """Pass chunks on, for as long as they come.

    Raises:
        InvalidRequest: none came for `idle_s` seconds.
    """
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise InvalidRequest(f"nothing came for {idle_s:g} seconds") from None
        yield chunk


class BatchQueue:
    """Batches that came in and wait to be dealt with."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Sequence[Line] | InvalidRequest | None] = asyncio.Queue(
            QUEUED_BATCHES_MAX
        )

    async def fill(self, batches: AsyncIterator[Sequence[Line]]) -> None:
        """Put all batches in, as there is room. Raises InvalidRequest: they were cut off."""
        try:
            async for batch in batches:
                await self._queue.put(batch)
        except InvalidRequest as error:
            await self._queue.put(error)
            raise
        await self._queue.put(None)

    async def batches(self) -> AsyncIterator[Sequence[Line]]:
        """Give them out, and where they were cut off raise what was told."""
        while (batch := await self._queue.get()) is not None:
            if isinstance(batch, InvalidRequest):
                raise batch
            yield batch
