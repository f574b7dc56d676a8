"""Counts of items in windows of time, shared by all processes on one Redis.

A window begins at each full minute (or whatever its length is) of Redis's clock. What is counted is
taken whole or not at all. A count says nothing of anybody on the list: if it is lost, quotas begin
anew, and nothing else happens.

    <namespace>:quota:<name>:<start of the window, Unix seconds>    how many were taken: string
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Protocol

import msgspec

from cache.redis_pipe import Pipe

WINDOW_S = 60

_TAKE = files("cache").joinpath("take.lua").read_text(encoding="utf-8")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the items were granted; how many are left, and for how many seconds that holds."""

    granted: bool
    left: int
    resets_in_s: int


class Quota(Protocol):
    """Counts by name."""

    async def take(self, name: str, items: int, limit: int) -> Taken:
        """Take `items` if no more than `limit` are then taken in this window, else none.

        Raises CacheUnavailable.
        """
        ...


class RedisQuota:
    """`Quota` on Redis."""

    def __init__(self, url: str, *, namespace: str = "checker", timeout_s: float = 0.25) -> None:
        self._pipe = Pipe(url, timeout_s=timeout_s)
        self._stem = f"{namespace}:quota:"

    async def take(self, name: str, items: int, limit: int) -> Taken:
        """See `Quota.take`."""
        command = ("EVAL", _TAKE, 1, self._stem + name, items, limit, WINDOW_S)
        [(granted, left, resets_in_s)] = await self._pipe.ask([command])
        return Taken(granted=bool(granted), left=left, resets_in_s=resets_in_s)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()


class MemoryQuota:
    """`Quota` in memory, the specification; `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._taken: dict[tuple[str, int], int] = {}

    async def take(self, name: str, items: int, limit: int) -> Taken:
        """See `Quota.take`."""
        now = int(self._clock())
        elapsed = now % WINDOW_S
        window = (name, now - elapsed)
        used = self._taken.get(window, 0)
        granted = used + items <= limit
        if granted:
            used += items
            self._taken[window] = used
        left = max(limit - used, 0)
        return Taken(granted=granted, left=left, resets_in_s=WINDOW_S - elapsed)
