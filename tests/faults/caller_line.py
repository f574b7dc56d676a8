"""One connection of a caller: HTTP by hand, because a client library would try again by itself."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANSWER_S_MAX = 20.0
_END_OF_HEAD = b"\r\n\r\n"
_NO_HEADERS: Mapping[str, str] = {}


class Unanswered(Exception):
    """No answer came: no connection, the connection ended, or it took too long."""


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Line:
    """One connection at a time, opened anew whenever it was lost."""

    def __init__(self, address: tuple[str, int], key: str | None = None) -> None:
        self._address = address
        self._key = key
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Told:
        """Send a request once. Raises Unanswered."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await self._exchange(self._request(method, path, body, headers))
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Unanswered(type(error).__name__) from error
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        ends, self._ends = self._ends, None
        if ends is not None:
            ends[1].transport.abort()

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        own = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
        if self._key is not None:
            own["Authorization"] = f"Bearer {self._key}"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def _exchange(self, request: bytes) -> Told:
        if self._ends is not None and self._ends[0].at_eof():
            self.close()  # the server has closed it meanwhile, as any client notices
        if self._ends is None:
            self._ends = await asyncio.open_connection(*self._address)
        reader, writer = self._ends
        writer.write(request)
        head = (await reader.readuntil(_END_OF_HEAD)).decode()
        first, *lines = head.strip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        is_json = "json" in headers.get("content-type", "")
        return Told(int(first.split()[1]), headers, json.loads(body) if is_json else body)
