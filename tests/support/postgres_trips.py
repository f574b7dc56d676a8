"""A PostgreSQL behind a line that counts the round trips of all connections.

A client sends some messages, then `Sync`, `Flush` or a simple query, and waits for the answers. So
each of these messages is one round trip (frontend/backend protocol, section 55.2). Nothing of a
trip is forwarded before its last message.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.private_folder import private_folder

_SOCKET = ".s.PGSQL.5432"
# Sync, Query and Flush, and those without an answer: Terminate, and a password.
_ENDS_A_TRIP = (b"S", b"Q", b"H", b"X", b"p")
_READ_BYTES = 1 << 16


class CountedLine:
    """The URL of the server behind the line, and the trips since the test last set `trips` to 0.

    `before_trip` is awaited before a trip is forwarded, with its number.
    """

    def __init__(self, url: str, server: Path) -> None:
        self.url = url
        self.trips = 0
        self.before_trip: Callable[[int], Awaitable[None]] | None = None
        self._server = server

    async def carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, asks = await asyncio.open_unix_connection(self._server)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward(client, asks))
            group.create_task(_copy(server, answers))

    async def _forward(self, client: asyncio.StreamReader, asks: asyncio.StreamWriter) -> None:
        try:
            size = await client.readexactly(4)  # the startup message has no type
            asks.write(size + await client.readexactly(int.from_bytes(size) - 4))
            trip = b""
            while True:
                head = await client.readexactly(5)
                trip += head + await client.readexactly(int.from_bytes(head[1:]) - 4)
                if head[:1] in _ENDS_A_TRIP:
                    self.trips += 1
                    if self.before_trip is not None:
                        await self.before_trip(self.trips)
                    asks.write(trip)
                    trip = b""
        except (asyncio.IncompleteReadError, OSError):
            asks.close()


@asynccontextmanager
async def counted_line(url: str) -> AsyncIterator[CountedLine]:
    """Open a line to the server of `url`, which names the folder of a socket."""
    [folder] = parse_qs(urlsplit(url).query)["host"]
    with private_folder() as own:
        line = CountedLine(url.replace(folder, str(own)), Path(folder) / _SOCKET)
        async with await asyncio.start_unix_server(line.carry, own / _SOCKET):
            yield line


async def _copy(server: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
    try:
        while read := await server.read(_READ_BYTES):
            answers.write(read)
    except OSError:
        pass
    finally:
        answers.close()
