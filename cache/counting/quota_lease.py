"""Spends slices of quotas that were lent, so that most takes ask nobody.

A trip to Redis costs more than a whole check of an innocent. So a process that takes often holds a
slice for each holder: items that Redis counts as taken already, and that are spent here until they
run out or a window ends. The rest of a slice goes back with the next trip. A quota that is small or
nearly used up lends nothing: each item is asked for, and the count is exact.

    limit     lent at once, by all    first slice of 2 workers    trips a check
       700                      14                   none              1
     6 000                     120                 60, 30          1 in 30 to 60
    60 000                   1 200               256, 256          1 in 256

A process that dies takes its slice along: until the window ends it counts among what is lent.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec

from cache.breaker import Breaker
from cache.counting.quota import Left, Limit, Quota, QuotaSlice
from cache.errors import CacheUnavailable

SLICE_MAX = 256
"""The trip's share in a check is then too small to see; more items would only lie unused."""

PAUSE_S = 0.5
"""For how long nobody asks a Redis that did not answer: each would wait out its time-out."""


class QuotaSpent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a take.

    Each count has `at_hand` items left besides its `lefts`, which Redis returned `waited_ms` ago.
    `lefts` is the same object for as long as a slice is spent.
    """

    granted: bool
    lefts: tuple[Left, ...]
    at_hand: int = 0
    waited_ms: int = 0


class QuotaLease:
    """One holder's slice: its rest, the items that Redis had left besides, and the slice's end.

    The slice was lent under `limits`; `lefts` stand in their order. The slice ends with the first
    of their windows, by this process's clock, which began to count before Redis did.
    """

    __slots__ = ("asked_at", "ends_at", "lefts", "limits", "rest", "size", "turn")

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self.limits = limits
        self.size = 0
        self.rest = 0
        self.lefts: tuple[Left, ...] = ()
        self.asked_at = 0.0
        self.ends_at = 0.0
        self.turn = asyncio.Lock()


class LeasedQuota:
    """Takes items for holders, each with limits of its own; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        quota: Quota,
        *,
        clock: Callable[[], float] = time.monotonic,
        slice_max: int = SLICE_MAX,
    ) -> None:
        self._quota = quota
        self._clock = clock
        self._slice_max = slice_max
        self._breaker = Breaker(clock=clock, pause_s=PAUSE_S)
        self._leases: dict[int, QuotaLease] = {}

    def spend(self, holder: int, items: int, limits: tuple[Limit, ...]) -> QuotaSpent | None:
        """Take items from the holder's slice; None: the slice is too small, or there is none."""
        lease = self._leases.get(holder)
        if lease is None or lease.rest < items or not lease.size:
            return None
        if lease.limits is not limits:
            if lease.limits != limits:
                return None
            lease.limits = limits  # equal ones, read anew
        now = self._clock()
        if now >= lease.ends_at:
            return None
        lease.rest = rest = lease.rest - items
        waited_ms = int((now - lease.asked_at) * 1000)
        return QuotaSpent(granted=True, lefts=lease.lefts, at_hand=rest, waited_ms=waited_ms)

    async def take(self, holder: int, items: int, limits: tuple[Limit, ...]) -> QuotaSpent:
        """Take items for a holder, all or none.

        Raises:
            CacheUnavailable: Redis could not be asked.
        """
        spent = self.spend(holder, items, limits)
        if spent is not None:
            return spent
        lease = self._leases.get(holder)
        if lease is None:
            lease = self._leases[holder] = QuotaLease(limits)
        async with lease.turn:
            # The holder's turn before may have brought a slice for all that wait.
            return self.spend(holder, items, limits) or await self._ask(lease, items, limits)

    async def _ask(self, lease: QuotaLease, items: int, limits: tuple[Limit, ...]) -> QuotaSpent:
        if not self._breaker.allows():
            raise CacheUnavailable("Redis did not answer a moment ago")
        back = _slice_of(lease)
        # The slice is gone from now on, whatever Redis answers: nothing is spent after its return.
        lease.size = lease.rest = 0
        asked_at = self._clock()
        try:
            taken = await self._quota.take(items, limits, slice_max=self._slice_max, returned=back)
        except CacheUnavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        lease.limits = limits
        lease.size = lease.rest = taken.lent
        lease.lefts = taken.lefts
        lease.asked_at = asked_at
        lease.ends_at = asked_at + min(left.resets_in_ms for left in taken.lefts) / 1000
        return QuotaSpent(granted=taken.granted, lefts=taken.lefts, at_hand=taken.lent)


def _slice_of(lease: QuotaLease) -> QuotaSlice | None:
    if not lease.size:
        return None
    return QuotaSlice(
        size=lease.size,
        rest=lease.rest,
        limits=lease.limits,
        starts=tuple(left.start for left in lease.lefts),
    )
