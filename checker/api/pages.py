"""Pages for anybody, at a low cost: each is rendered once, compressed once, and sent many times.

A page that never changes is rendered at the first request, in a thread, and kept. A page that
changes (`/metrics`) is gathered for all callers who wait: each caller gets a page whose gathering
began after the call. When many ask, one gathering starts each second, so a flood of calls costs
little more than the sending. The lane sends pages by itself (`checker.api.lane`).
"""

import asyncio
import gzip
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from checker.api.exchange import Reply, encode

GATHERINGS_A_SECOND: Final = 1.0
"""The rate of gatherings of a changing page when many ask."""

GATHERINGS_AT_ONCE: Final = 20
"""This many gatherings may follow each other without a pause, for a person who reloads."""

GZIP_BYTES_MIN: Final = 1_000
"""A smaller page fits in one packet anyway."""

GZIP_LEVEL: Final = 6

_NO_HEADERS: Final[Mapping[str, str]] = {}


class RenderedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is ready to send; `etag` is None for a page that changes."""

    body: bytes
    compressed: bytes | None
    media_type: str
    etag: str | None
    headers: Mapping[str, str] = {}

    @classmethod
    def of(
        cls, body: bytes, media_type: str, *, keeps: bool, headers: Mapping[str, str] = _NO_HEADERS
    ) -> "RenderedPage":
        """Return a page of this text; `keeps`: the text stays the same while this process runs."""
        compressed = gzip.compress(body, GZIP_LEVEL, mtime=0) if _is_long(body) else None
        etag = etag_of(body) if keeps else None
        return cls(
            body=body, compressed=compressed, media_type=media_type, etag=etag, headers=headers
        )

    def reply(self, headers: Mapping[str, str]) -> Reply:
        """Return the answer, by the `accept-encoding` and `if-none-match` of the request."""
        sent = {**self.headers, "vary": "accept-encoding"}
        if self.etag is None:
            sent["cache-control"] = "no-store"
        else:
            sent |= {"etag": self.etag, "cache-control": "no-cache"}
            if is_unchanged(self.etag, headers.get("if-none-match")):
                return Reply(status=304, body=b"", media_type=self.media_type, headers=sent)
        body = self.body
        if self.compressed is not None and takes_gzip(headers.get("accept-encoding", "")):
            body = self.compressed
            sent["content-encoding"] = "gzip"
        return Reply(status=200, body=body, media_type=self.media_type, headers=sent)


class Served(Protocol):
    """A page at an address."""

    async def page(self) -> RenderedPage:
        """Return the page."""
        ...


class KeptPage:
    """A page that never changes; `make` renders it once, in a thread."""

    def __init__(
        self,
        make: Callable[[], bytes],
        media_type: str,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        self._make = make
        self._media_type = media_type
        self._headers = headers
        self._making: asyncio.Task[RenderedPage] | None = None

    async def page(self) -> RenderedPage:
        """Return the page, which is rendered at the first call."""
        if self._making is None or (self._making.done() and self._making.exception()):
            self._making = asyncio.create_task(asyncio.to_thread(self._made), name="page")
        return await asyncio.shield(self._making)

    def _made(self) -> RenderedPage:
        return RenderedPage.of(self._make(), self._media_type, keeps=True, headers=self._headers)


class GatheredPage:
    """A page that changes; `gather` renders it once for all who wait."""

    def __init__(
        self,
        gather: Callable[[], Awaitable[RenderedPage]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gather = gather
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._coming: asyncio.Task[RenderedPage] | None = None
        # The instant at which a bucket that leaks one gathering a second is empty.
        self._empty_at = float("-inf")

    async def page(self) -> RenderedPage:
        """Return a page whose gathering begins after this call."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._gathered(), name="gathering")
        return await asyncio.shield(self._coming)

    async def _gathered(self) -> RenderedPage:
        async with self._turn:
            now = self._clock()
            self._empty_at = max(self._empty_at, now) + 1 / GATHERINGS_A_SECOND
            early_s = self._empty_at - now - GATHERINGS_AT_ONCE / GATHERINGS_A_SECOND
            if early_s > 0:
                await self._sleep(early_s)
            self._coming = None  # a later caller gets the next page
            return await self._gather()


def tagged_reply(value: Any, wanted: str | None, cache_control: str) -> Reply:
    """Return the value as JSON with an `ETag`, or 304 if `wanted` has the tag.

    `wanted` is the `If-None-Match` of the request.
    """
    body = encode(value)
    headers = {"etag": etag_of(body), "cache-control": cache_control}
    if is_unchanged(headers["etag"], wanted):
        return Reply(status=304, body=b"", headers=headers)
    return Reply(status=200, body=body, headers=headers)


def etag_of(body: bytes) -> str:
    """Return the tag of a text. It is weak, because the text is sent compressed too."""
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def is_unchanged(etag: str, wanted: str | None) -> bool:
    """Return whether an `If-None-Match` has this tag (RFC 9110, section 13.1.2)."""
    if wanted is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in wanted.split(",")]
    return tags == ["*"] or etag.removeprefix("W/") in tags


def takes_gzip(accepted: str) -> bool:
    """Return whether an `Accept-Encoding` admits gzip (RFC 9110, section 12.5.3)."""
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _is_long(body: bytes) -> bool:
    return len(body) >= GZIP_BYTES_MIN
