"""Compresses long answers to GET by gzip, where the caller takes gzip.

Answers to other methods are sent as they are: such an answer may hold a secret beside text of the
request, and its compressed length would give the secret away, letter by letter (BREACH). An answer
to GET repeats nothing of the request but its address, and a browser sends no key by itself.
"""

import asyncio
import zlib
from typing import Any, Final

from checker.api.pages import GZIP_BYTES_MIN, takes_gzip

_LEVEL: Final = 4
"""Twice as fast as the usual 6, and some per cent larger."""

_GZIP_WINDOW: Final = 31
"""The largest window, with the header and the trailer of gzip."""

_THREAD_BYTES_MIN: Final = 32_768
"""A shorter part takes less than a millisecond, which checks may wait."""

_COMPRESSIBLE: Final = ("application/", "text/")


class Compressed:
    """An ASGI `send` in front of `send`, which compresses one answer if that saves something."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._start: Any = None
        self._compressor: Any = None

    async def __call__(self, message: Any) -> None:
        """Send a message of the answer; the start waits for the first part of the body."""
        if message["type"] == "http.response.start":
            if _is_compressible(message):
                self._start = message
                return
        elif self._start is not None:
            message = await self._first(message)
        elif self._compressor is not None:
            message = {**message, "body": await self._compress(message)}
        await self._send(message)

    async def _first(self, message: Any) -> Any:
        start, self._start = self._start, None
        is_whole = not message.get("more_body", False)
        headers = [*start["headers"], (b"vary", b"accept-encoding")]
        if not is_whole or len(message.get("body", b"")) >= GZIP_BYTES_MIN:
            self._compressor = zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW)
            message = {**message, "body": await self._compress(message)}
            headers = [each for each in headers if each[0].lower() != b"content-length"]
            headers.append((b"content-encoding", b"gzip"))
            if is_whole:
                headers.append((b"content-length", str(len(message["body"])).encode()))
        await self._send({**start, "headers": headers})
        return message

    async def _compress(self, message: Any) -> bytes:
        body: bytes = message.get("body", b"")
        if len(body) < _THREAD_BYTES_MIN:
            return self._compress_part(body, message)
        return await asyncio.to_thread(self._compress_part, body, message)

    def _compress_part(self, body: bytes, message: Any) -> bytes:
        compressed: bytes = self._compressor.compress(body)
        if not message.get("more_body", False):
            compressed += self._compressor.flush()
        return compressed


def compressed(send: Any, accepted: bytes | None) -> Any:
    """Return an ASGI `send` that compresses an answer, if `Accept-Encoding` admits gzip."""
    if accepted is None or not takes_gzip(accepted.decode("latin-1")):
        return send
    return Compressed(send)


def _is_compressible(start: Any) -> bool:
    if start["status"] != 200:
        return False
    headers = {name.lower(): value for name, value in start["headers"]}
    media_type = headers.get(b"content-type", b"").decode("latin-1")
    return b"content-encoding" not in headers and media_type.startswith(_COMPRESSIBLE)
