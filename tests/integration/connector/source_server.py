"""A small web server that publishes a list, and does whatever such servers do on bad days."""

import asyncio
import hashlib
from contextlib import asynccontextmanager

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """One request: its path with the query, and its headers in lower case."""

    path: str
    headers: dict[str, str]


class Served(msgspec.Struct, kw_only=True):
    """The answer for one path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = {}
    tells_etag: bool = True
    tells_length: bool = True
    cut_at: int | None = None
    is_chunked: bool = False
    answers: bool = True

    @property
    def etag(self):
        return f'"{hashlib.sha256(self.body).hexdigest()[:8]}"'


class SourceServer:
    """Serves `files` by path; `asked` is what it was asked."""

    def __init__(self):
        self.files = {}
        self.asked = []
        self.port = 0
        self._server = None
        self._connections = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def start(self):
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for writer in self._connections:
            writer.transport.abort()
        await self._server.wait_closed()

    def paths(self):
        """Give the paths asked for so far, and forget them."""
        paths = [asked.path for asked in self.asked]
        self.asked.clear()
        return paths

    async def _converse(self, reader, writer):
        self._connections.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
            }
            asked = Asked(first.split(" ")[1], headers)
            self.asked.append(asked)
            served = self.files.get(asked.path.partition("?")[0], Served(status=404))
            if not served.answers:
                await reader.read()
                return
            writer.write(_answer(served, asked))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()


def _answer(served, asked):
    headers = {"Connection": "close"} | served.headers
    if served.tells_etag:
        headers["ETag"] = served.etag
        if asked.headers.get("if-none-match") == served.etag:
            return _head(304, headers)
    body = served.body
    if served.is_chunked:
        headers["Transfer-Encoding"] = "chunked"
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif served.tells_length:
        headers["Content-Length"] = str(len(body))
    return _head(served.status, headers) + body[: served.cut_at]


def _head(status, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode("latin-1")


@asynccontextmanager
async def running_source():
    server = SourceServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
