"""Batches of lines, and a queue for them where the caller does not wait for the results."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from checker.errors import InvalidRequest
from checker.reconciliation.past_sale import Line

BATCH_LINES: Final = 500
"""Lines that are judged together, in some tens of milliseconds."""

BATCH_BYTES: Final = 256 * 1024

QUEUED_BATCHES_MAX: Final = 40
"""10 MiB at most, and 20 000 lines as they are."""


IDLE_S: Final = 60.0
"""A sender may pause for so long. Few files are judged at once: a silent sender blocks others."""


async def in_batches(lines: AsyncIterator[Line]) -> AsyncIterator[list[Line]]:
    """Yield lines in batches. A transfer that is cut off loses the lines of its last batch."""
    held: list[Line] = []
    held_bytes = 0
    async for number, line in lines:
        held.append((number, line))
        held_bytes += 0 if line is None else len(line)
        if len(held) >= BATCH_LINES or held_bytes >= BATCH_BYTES:
            yield held
            held, held_bytes = [], 0
    if held:
        yield held


async def unless_idle(
    chunks: AsyncIterator[bytes], *, idle_s: float = IDLE_S
) -> AsyncIterator[bytes]:
    """Yield chunks for as long as they come.

    Raises:
        InvalidRequest: no chunk came for `idle_s` seconds.
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
    """Batches that came in and wait to be judged."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Sequence[Line] | InvalidRequest | None] = asyncio.Queue(
            QUEUED_BATCHES_MAX
        )

    async def fill(self, batches: AsyncIterator[Sequence[Line]]) -> None:
        """Put all batches in, as there is room. Raises InvalidRequest: the transfer was cut off."""
        try:
            async for batch in batches:
                await self._queue.put(batch)
        except InvalidRequest as error:
            await self._queue.put(error)
            raise
        await self._queue.put(None)

    async def batches(self) -> AsyncIterator[Sequence[Line]]:
        """Yield the batches. Raises InvalidRequest behind the last one: the transfer was cut
        off.
        """
        while (batch := await self._queue.get()) is not None:
            if isinstance(batch, InvalidRequest):
                raise batch
            yield batch
