"""Reads all outlines in order of their tokens, by `COPY` in PostgreSQL's binary format.

    11 bytes     signature
    4 + 4 bytes  flags, and the length of an extension that follows
    then, a row:
      2 bytes    number of columns: 2; -1 (0xFFFF) ends the copy
      4 + 16     length of the token, and the token
      4 + n      length of the outline, and the outline

Some 0.4 us a row, where a driver's records take several times that.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import TOKEN_BYTES, Token

Batch: TypeAlias = list[tuple[Token, bytes]]

CHUNKS_AHEAD = 4
"""Chunks that PostgreSQL may be ahead of the reader: each has some tens of kilobytes."""

_STATEMENT = "SELECT token, outline FROM outline ORDER BY token"
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = len(_SIGNATURE) + 8
_ROW_BEGINS = (2).to_bytes(2) + TOKEN_BYTES.to_bytes(4)
_TOKEN_AT = len(_ROW_BEGINS)
_OUTLINE_AT = _TOKEN_AT + TOKEN_BYTES + 4
_END = b"\xff\xff"


@asynccontextmanager
async def outlines(connection: AsyncConnection) -> AsyncIterator[AsyncIterator[Batch]]:
    """Yield the outlines in batches, as the connection's transaction sees them.

    A reader that stops in the middle, because the cache failed, can go on with the transaction. A
    reader that is cancelled loses the transaction.
    """
    raw = await connection.get_raw_connection()
    copy = _Copy(raw.driver_connection)
    try:
        yield copy.batches()
    except Exception:
        await copy.drain()
        raise
    except BaseException:
        # A copy that ends in the middle leaves a connection that nobody can use.
        await copy.cancel()
        await connection.invalidate()
        raise


class _Copy:
    """A `COPY` as a task that stays a few chunks ahead; it begins with the first batch."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS_AHEAD)
        self._task: asyncio.Task[None] | None = None
        self._is_abandoned = False

    async def batches(self) -> AsyncGenerator[Batch, None]:
        self._task = asyncio.create_task(self._run())
        held = b""
        is_first = True
        while (chunk := await self._chunks.get()) is not None:
            held += chunk
            if is_first:
                if len(held) < _HEADER_BYTES:
                    continue
                held = held[_header_bytes(held) :]
                is_first = False
            batch, held = cut_rows(held)
            yield batch
        await self._task
        assert held == _END, "the copy ends with its trailer"

    async def drain(self) -> None:
        """Read the copy to its end, because to cancel it would fail the whole transaction."""
        if self._task is not None:
            self._is_abandoned = True
            while not self._chunks.empty():
                self._chunks.get_nowait()
            await asyncio.wait([self._task])

    async def cancel(self) -> None:
        """Cancel the copy; nobody takes its chunks any more, so it must not wait for a reader."""
        if self._task is not None:
            self._is_abandoned = True
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            await self._driver.copy_from_query(_STATEMENT, output=self._take, format="binary")
        finally:
            if not self._is_abandoned:
                await self._chunks.put(None)

    async def _take(self, chunk: bytes) -> None:
        if not self._is_abandoned:
            await self._chunks.put(chunk)


def cut_rows(data: bytes) -> tuple[Batch, bytes]:
    """Return all whole rows, and the rest for the next chunk or as the trailer."""
    rows: Batch = []
    start, end = 0, len(data)
    while end - start >= _OUTLINE_AT:
        assert data.startswith(_ROW_BEGINS, start), "a row is a token and an outline"
        # An outline has 64 bytes at most, so of its length only the last byte is not 0.
        stop = start + _OUTLINE_AT + data[start + _OUTLINE_AT - 1]
        if stop > end:
            break
        token = Token(data[start + _TOKEN_AT : start + _TOKEN_AT + TOKEN_BYTES])
        rows.append((token, data[start + _OUTLINE_AT : stop]))
        start = stop
    return rows, data[start:]


def _header_bytes(data: bytes) -> int:
    assert data.startswith(_SIGNATURE), "a copy begins with its signature"
    return _HEADER_BYTES + int.from_bytes(data[_HEADER_BYTES - 4 : _HEADER_BYTES])
