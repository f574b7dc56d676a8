"""Endpoints that take notices: a small receiver, so that the sender is measured.

There is one port of 127.0.0.1, and a path for each endpoint. Some endpoints take a message and
never answer. The receiver reads HTTP/1.1 with a Content-Length, as the contract's sender writes it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from time import perf_counter
from typing import cast

import msgspec

from loadtest.generator import LOOPBACK

_END_OF_HEAD = b"\r\n\r\n"
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_path = re.compile(rb"^POST /(\d+) HTTP/1\.1\r\n")
_header = re.compile(rb"\r\n(content-length|webhook-[a-z]+): *([^\r]*)", re.IGNORECASE)


class UnreadableMessageError(Exception):
    """The sender sent a request that is no notice."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A message that came in at an endpoint."""

    endpoint: int
    headers: dict[str, str]
    body: bytes


class Endpoints:
    """The notices that arrived, and the arrival of the last notice that was expected."""

    def __init__(self, hanging: Set[int], expected: int) -> None:
        self.hanging = hanging
        self.notices: dict[tuple[int, str], Notice] = {}
        self.messages = 0
        self.last_at = 0.0
        self.complete = asyncio.Event()
        self._expected = expected

    def take(self, notice: Notice) -> bool:
        """Note a message, and return whether the endpoint acknowledges it."""
        if notice.endpoint in self.hanging:
            return False
        self.messages += 1
        known_by = (notice.endpoint, notice.headers["webhook-id"])
        if known_by not in self.notices:
            self.notices[known_by] = notice
            self.last_at = perf_counter()
            if len(self.notices) >= self._expected:
                self.complete.set()
        return True


class _Connection(asyncio.Protocol):
    """One connection, with one message at a time."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        # uvloop's is one by its methods alone.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take each message that is complete."""
        self._held += data
        while (notice := self._next()) is not None:
            if self._endpoints.take(notice):
                assert self._transport is not None
                self._transport.write(_ANSWER)

    def _next(self) -> Notice | None:
        head, end, rest = self._held.partition(_END_OF_HEAD)
        if not end:
            return None
        path = _path.match(head)
        headers = {name.decode().lower(): value.decode() for name, value in _header.findall(head)}
        if path is None or "content-length" not in headers:
            raise UnreadableMessageError(head[:80].decode(errors="replace"))
        length = int(headers["content-length"])
        if len(rest) < length:
            return None
        self._held = rest[length:]
        return Notice(endpoint=int(path[1]), headers=headers, body=rest[:length])


@asynccontextmanager
async def listening(port: int, endpoints: Endpoints) -> AsyncIterator[None]:
    """Take messages on a port while the block runs."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(endpoints), LOOPBACK, port, backlog=1024)
    try:
        yield
    finally:
        server.close()
