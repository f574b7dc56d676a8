"""Counts and bounds the requests of callers without a key, by the address of the caller.

The service knows a caller without a key by the address alone. An IPv4 address counts by itself and
with its /24. An IPv6 address counts by its /64 and with its /48, because one household or one
customer of a provider has that many addresses. So no address and no network uses up all room.

Redis counts over all workers and nodes, and holds a keyed digest of an address until the window
ends. While Redis is away each process counts by itself, up to `LOCAL_MAX` requests. After that the
process refuses callers without a key until Redis is back. Look-ups of one's own entries are not
counted by a process alone: they are refused at once.
"""

import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

import msgspec

from cache.breaker import Breaker
from cache.counting.quota import Limit, MemoryQuota, Quota, Taken, Window
from cache.errors import CacheUnavailable
from checker.accounts.scope import DAY, read_address
from checker.errors import QuotaExceeded, Unavailable

HOUR: Final = Window(name="hour", length_s=3600)

LOCAL_MAX: Final = 5_000
"""Senders that one process counts by itself while Redis is away, at some 200 bytes each."""

REFUSED_MAX: Final = 10_000
"""Refused addresses that one process remembers. At this number it forgets all and asks Redis."""

PAUSE_S: Final = 0.5
"""How long a process waits before it asks a Redis again that did not answer."""


class SenderBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one address without a key.

    `attempts`: requests an hour, of which some may guess ids. `filings` and `network_filings`: new
    corrections an hour, so that an address has 5 % and a network 10 % of the room of all.
    `filings_about`: corrections a day about one listing or one decision, of 20 that may be open.
    `look_ups` and `network_look_ups`: people an hour who look themselves up; many phones share one
    address. `look_ups_about`: look-ups an hour of one document, so that nobody guesses its name.
    """

    attempts: int = 240
    filings: int = 30
    network_filings: int = 60
    filings_about: int = 3
    look_ups: int = 60
    network_look_ups: int = 240
    look_ups_about: int = 10


class Senders:
    """Counts requests without a key. `digest` is keyed; `clock` returns Unix seconds."""

    def __init__(
        self,
        quota: Quota,
        *,
        digest: Callable[[Sequence[str]], str],
        bounds: SenderBounds = SenderBounds(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._quota = quota
        self._digest = digest
        self._bounds = bounds
        self._clock = clock
        self._breaker = Breaker(clock=time.monotonic, pause_s=PAUSE_S)
        self._local = MemoryQuota(clock)
        self._counted_here = 0
        self._refused_until: dict[str, float] = {}

    async def attempt(self, address: str) -> None:
        """Count a request without a key.

        Raises:
            QuotaExceeded: this address has sent too many requests within an hour.
            Unavailable: Redis is away, and this process has counted `LOCAL_MAX` requests itself.
        """
        own, _ = shares_of(address)
        until = self._refused_until.get(own)
        if until is not None and until > self._clock():
            raise _refusal(until - self._clock())
        limit = self._limit("attempt", own, self._bounds.attempts)
        taken = await self._take([limit])
        if not taken.granted:
            self._remember(own, taken)
            raise _refusal(_wait_s(taken))

    async def file(self, address: str, about: str) -> None:
        """Count a new correction about a listing or a decision.

        Raises as `attempt`.
        """
        own, network = shares_of(address)
        bounds = self._bounds
        taken = await self._take(
            [
                self._limit("filing", own, bounds.filings),
                self._limit("filing", network, bounds.network_filings),
                self._limit("about", own, bounds.filings_about, about, window=DAY),
            ]
        )
        if not taken.granted:
            raise _refusal(_wait_s(taken))

    async def look_up(self, address: str, about: str) -> None:
        """Count a look-up of one's own entries by the document `about`, in one trip to Redis.

        The same counts are taken for everybody, so a count shows nothing of the list.

        Raises:
            QuotaExceeded: this address, its network, or this document has used up its look-ups.
            Unavailable: Redis is away.
        """
        own, network = shares_of(address)
        bounds = self._bounds
        taken = await self._take_from_redis(
            [
                self._limit("look-up", own, bounds.look_ups),
                self._limit("look-up", network, bounds.network_look_ups),
                self._limit("looked-up", about, bounds.look_ups_about),
            ]
        )
        if taken is None:
            raise Unavailable("look-ups cannot be counted now", retry_after_s=5)
        if not taken.granted:
            raise _refusal(_wait_s(taken))

    def _limit(self, act: str, share: str, items: int, *more: str, window: Window = HOUR) -> Limit:
        return Limit(name=self._digest(["sender", act, share, *more]), items=items, window=window)

    async def _take_from_redis(self, limits: Sequence[Limit]) -> Taken | None:
        """Take one item from each limit; None: Redis is away."""
        if not self._breaker.allows():
            return None
        try:
            taken = await self._quota.take(1, limits)
        except CacheUnavailable:
            self._breaker.failed()
            return None
        self._breaker.succeeded()
        if self._counted_here:
            self._local, self._counted_here = MemoryQuota(self._clock), 0
        return taken

    async def _take(self, limits: Sequence[Limit]) -> Taken:
        taken = await self._take_from_redis(limits)
        if taken is not None:
            return taken
        if self._counted_here >= LOCAL_MAX:
            raise Unavailable("what is sent without a key cannot be counted now", retry_after_s=5)
        self._counted_here += 1
        return await self._local.take(1, limits)

    def _remember(self, share: str, taken: Taken) -> None:
        if len(self._refused_until) >= REFUSED_MAX:
            self._refused_until.clear()
        self._refused_until[share] = self._clock() + _wait_s(taken)


def shares_of(address: str) -> tuple[str, str]:
    """Return two names to count an address by: its own, and that of its network.

    All callers without a readable address share one count: a proxy on a Unix socket is one sender.
    """
    parsed = read_address(address)
    if parsed is None:
        return "none", "none"
    own, network = (32, 24) if isinstance(parsed, IPv4Address) else (64, 48)
    return _network(parsed, own), _network(parsed, network)


def _network(address: IPv4Address | IPv6Address, bits: int) -> str:
    return str(ip_network((address, bits), strict=False))


def _wait_s(taken: Taken) -> float:
    """Return the seconds until the last of the used-up counts begins again."""
    return max(left.resets_in_ms for left in taken.lefts if not left.items) / 1000


def _refusal(wait_s: float) -> QuotaExceeded:
    text = "too much was sent from this address without a key"
    return QuotaExceeded(text, retry_after_s=max(1, round(wait_s)))
