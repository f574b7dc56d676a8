"""Counts of items in windows of time, shared by all processes on one Redis.

A window begins at each full minute, or day of a place, of Redis's clock. A request that counts on
several counters is taken from all of them or from none. A node may borrow a slice more, and spends
the slice without asking Redis (`cache.counting.quota_lease`). A borrowed slice counts as taken, so
no limit is ever passed. At most 2 % of a limit is out on loan at any time. A count concerns nobody
on the list: if a count is lost, quotas begin anew, and nothing else happens.

    <namespace>:quota:<name>:<window>:<start>    hash; the window began at `start`, Unix seconds
        used    items taken or lent
        lent    sizes of the slices that are out, spent or not
"""

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Protocol

import msgspec

from cache.keys import DEFAULT_NAMESPACE, KeyFamily
from cache.redis_cluster import stem_at
from cache.redis_pipe import Command, Pipe
from cache.replies import reads_replies

LENT_SHARE = 50
"""One item in so many may be lent at once: quotas hold within 2 %. `take.lua` has it too."""

SLICE_MIN = 8
"""Fewer items are not lent: they would save few trips, and small quotas are to be exact."""

_TAKE = files("cache").joinpath("take.lua").read_text(encoding="utf-8")


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A length of time; one begins `offset_s` seconds before each multiple of it in Unix time."""

    name: str
    length_s: int
    offset_s: int = 0


MINUTE = Window(name="minute", length_s=60)


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The number of items of one name that may be taken in a window; counted by name and window."""

    name: str
    items: int
    window: Window


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """The number of items that a count has left, its window's beginning, and time to its end."""

    items: int
    start: int
    resets_in_ms: int


class QuotaSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A number of lent items: its size, its rest, and the counts and windows that lent them."""

    size: int
    rest: int
    limits: tuple[Limit, ...]
    starts: tuple[int, ...]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a take: whether granted, how many more are lent, what each count has left."""

    granted: bool
    lent: int
    lefts: tuple[Left, ...]


class Quota(Protocol):
    """Counts by name."""

    async def take(
        self,
        items: int,
        limits: Sequence[Limit],
        *,
        slice_max: int = 0,
        returned: QuotaSlice | None = None,
    ) -> Taken:
        """Take `items` if that passes none of the limits, else none.

        Before, the rest of an earlier slice is `returned`. After, up to `slice_max` are lent.
        Taking 0 items is always granted and lends nothing. Raises CacheUnavailable: the items may
        still have been taken.
        """
        ...


class RedisQuota:
    """`Quota` on Redis."""

    def __init__(
        self, url: str, *, namespace: str = DEFAULT_NAMESPACE, timeout_s: float = 0.25
    ) -> None:
        stem = stem_at(url, namespace, KeyFamily.COUNTS)
        self._pipe = Pipe(url, stem, timeout_s=timeout_s)
        self._stem = f"{stem}:quota:"

    @reads_replies
    async def take(
        self,
        items: int,
        limits: Sequence[Limit],
        *,
        slice_max: int = 0,
        returned: QuotaSlice | None = None,
    ) -> Taken:
        """See `Quota.take`."""
        back = returned or _NOTHING
        keys = [self._stem_of(limit) for limit in (*back.limits, *limits)]
        bounds = [
            number
            for limit in limits
            for number in (limit.items, limit.window.length_s, limit.window.offset_s)
        ]
        sizes = (items, slice_max, SLICE_MIN, back.rest, back.size, len(back.limits))
        command: Command = ("EVAL", _TAKE, len(keys), *keys, *sizes, *back.starts, *bounds)
        # Never sent twice: a slice would be given back twice.
        [(granted, lent, *told)] = await self._pipe.ask([command], again=False)
        lefts = tuple(
            Left(items=left, start=int(start), resets_in_ms=resets_in_ms)
            for left, start, resets_in_ms in zip(told[::3], told[1::3], told[2::3], strict=True)
        )
        return Taken(granted=bool(granted), lent=lent, lefts=lefts)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()

    def _stem_of(self, limit: Limit) -> str:
        return f"{self._stem}{limit.name}:{limit.window.name}"


class MemoryQuota:
    """`Quota` in memory, the specification; `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: dict[tuple[str, str, int], int] = {}
        self._lent: dict[tuple[str, str, int], int] = {}

    async def take(
        self,
        items: int,
        limits: Sequence[Limit],
        *,
        slice_max: int = 0,
        returned: QuotaSlice | None = None,
    ) -> Taken:
        """See `Quota.take`."""
        now = self._clock()
        self._give_back(returned or _NOTHING)
        starts = [_start(limit.window, int(now)) for limit in limits]
        counts = [_count(limit, start) for limit, start in zip(limits, starts, strict=True)]
        lefts = [
            limit.items - self._used.get(count, 0)
            for limit, count in zip(limits, counts, strict=True)
        ]
        granted = all(left >= items for left in lefts)
        lent = self._lendable(items, limits, counts, lefts, slice_max) if granted else 0
        if granted and items:
            for count in counts:
                self._used[count] = self._used.get(count, 0) + items + lent
                self._lent[count] = self._lent.get(count, 0) + lent
            lefts = [left - items - lent for left in lefts]
        return Taken(
            granted=granted or not items,
            lent=lent,
            lefts=tuple(
                Left(
                    items=max(left, 0),
                    start=start,
                    resets_in_ms=int((start + limit.window.length_s - now) * 1000),
                )
                for left, start, limit in zip(lefts, starts, limits, strict=True)
            ),
        )

    def _give_back(self, back: QuotaSlice) -> None:
        for limit, start in zip(back.limits, back.starts, strict=True):
            count = _count(limit, start)
            if count in self._used:
                self._used[count] = max(self._used[count] - back.rest, 0)
                self._lent[count] = max(self._lent[count] - back.size, 0)

    def _lendable(
        self,
        items: int,
        limits: Sequence[Limit],
        counts: Sequence[tuple[str, str, int]],
        lefts: Sequence[int],
        slice_max: int,
    ) -> int:
        lent = slice_max if items else 0
        for limit, count, left in zip(limits, counts, lefts, strict=True):
            lendable = limit.items // LENT_SHARE - self._lent.get(count, 0)
            lent = min(lent, lendable // 2, (left - items) // 4)
        return lent if lent >= SLICE_MIN else 0


_NOTHING = QuotaSlice(size=0, rest=0, limits=(), starts=())


def _start(window: Window, now_s: int) -> int:
    return now_s - (now_s + window.offset_s) % window.length_s


def _count(limit: Limit, start: int) -> tuple[str, str, int]:
    return limit.name, limit.window.name, start
