"""Pages that anybody may ask for, kept cheap: made once, compressed once, sent many times.

A page that never changes is made when it is first asked for, in a thread, and kept. A page that
changes (`/metrics`) is gathered for all who wait for it: each caller gets a page that was begun
after the call, and gatherings come at most once a second when many ask. So a flood of calls costs
the sending alone. The lane sends pages by itself (`checker.api.lane`).
"""

import asyncio
import gzip
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import msgspec

from checker.api.exchange import Reply

GATHERINGS_A_SECOND: Final = 1.0
"""How often a page that changes is gathered when many ask for it."""

GATHERINGS_AT_ONCE: Final = 20
"""So many gatherings follow each other without a pause: a person who looks again need not wait."""

GZIP_BYTES_MIN: Final = 1_000
"""Less fits in one packet anyway."""

GZIP_LEVEL: Final = 6


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page ready to send; `etag` is None for one that is always new."""

    body: bytes
    compressed: bytes | None
    media_type: str
    etag: str | None

    @classmethod
    def of(cls, body: bytes, media_type: str, *, keeps: bool) -> "Page":
        """Make a page of its text. `keeps`: it says the same as long as this process runs."""
        compressed = gzip.compress(body, GZIP_LEVEL, mtime=0) if _is_long(body) else None
        etag = f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"' if keeps else None
        return cls(body=body, compressed=compressed, media_type=media_type, etag=etag)

    def reply(self, headers: Mapping[str, str]) -> Reply:
        """Answer a request by its `accept-encoding` and `if-none-match`, if it has them."""
        told = {"vary": "accept-encoding"}
        if self.etag is None:
            told["cache-control"] = "no-store"
        else:
            told |= {"etag": self.etag, "cache-control": "no-cache"}
            if headers.get("if-none-match") == self.etag:
                return Reply(status=304, body=b"", media_type=self.media_type, headers=told)
        body = self.body
        if self.compressed is not None and takes_gzip(headers.get("accept-encoding", "")):
            body = self.compressed
            told["content-encoding"] = "gzip"
        return Reply(status=200, body=body, media_type=self.media_type, headers=told)


class Served(Protocol):
    """A page at an address."""

    async def page(self) -> Page:
        """Give the page."""
        ...


class KeptPage:
    """A page that never changes; `make` runs once, in a thread."""

    def __init__(self, make: Callable[[], bytes], media_type: str) -> None:
        self._make = make
        self._media_type = media_type
        self._making: asyncio.Task[Page] | None = None

    async def page(self) -> Page:
        """Give the page; it is made at the first call."""
        if self._making is None or (self._making.done() and self._making.exception()):
            self._making = asyncio.create_task(asyncio.to_thread(self._made), name="page")
        return await asyncio.shield(self._making)

    def _made(self) -> Page:
        return Page.of(self._make(), self._media_type, keeps=True)


class GatheredPage:
    """A page that changes; `gather` runs once for all who wait."""

    def __init__(
        self,
        gather: Callable[[], Awaitable[Page]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gather = gather
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._coming: asyncio.Task[Page] | None = None
        # When a bucket that leaks one gathering a second would be empty.
        self._empty_at = float("-inf")

    async def page(self) -> Page:
        """Give a page whose gathering begins after this call."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._gathered(), name="gathering")
        return await asyncio.shield(self._coming)

    async def _gathered(self) -> Page:
        async with self._turn:
            now = self._clock()
            self._empty_at = max(self._empty_at, now) + 1 / GATHERINGS_A_SECOND
            early_s = self._empty_at - now - GATHERINGS_AT_ONCE / GATHERINGS_A_SECOND
            if early_s > 0:
                await self._sleep(early_s)
            self._coming = None  # who calls from here on gets the next one
            return await self._gather()


def takes_gzip(accepted: str) -> bool:
    """Return whether an `Accept-Encoding` admits gzip (RFC 9110, section 12.5.3)."""
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _is_long(body: bytes) -> bool:
    return len(body) >= GZIP_BYTES_MIN
