"""A server that answers a constant, to find the ceiling of a load generator.

    python -m loadtest.trivial_server PORT

A figure near this ceiling measures the generator and not the server.
"""

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_END_OF_HEAD = b"\r\n\r\n"


class ConstantAnswer(asyncio.Protocol):
    """Answers every request whose bytes come in one piece, without reading it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request's head; a body alone is not answered again."""
        if _END_OF_HEAD in data:
            self._transport.write(ANSWER)


async def serve(port: int) -> None:
    """Serve on 127.0.0.1 until ended."""
    server = await asyncio.get_running_loop().create_server(ConstantAnswer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
