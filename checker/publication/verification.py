"""The background reader: verifies the list in the cache, and withdraws a list that is not whole.

It works in the process that leads, so once in a deployment. Without a list in the cache the
registry answers checks, and the leader builds the list anew.
"""

import logging
from collections.abc import Callable

from cache.errors import CacheIncomplete
from cache.generation import Generation
from cache.store import StandingCache
from cache.verification import Walk
from checker.work import Work

WALK_INTERVAL_S = 5.0
"""Between two walks. A small list is walked over in less; of a big one the walk takes minutes."""

STAND_BY_S = 0.25
"""Between two looks whether this process leads."""

_log = logging.getLogger(__name__)


class Verification:
    """Walks over the live generation for as long as its process leads."""

    def __init__(
        self,
        cache: StandingCache,
        walk: Walk,
        *,
        interval_s: float = WALK_INTERVAL_S,
    ) -> None:
        self._cache = cache
        self._walk = walk
        self._interval_s = interval_s

    def work(self, leads: Callable[[], bool], report_mismatch: Callable[[], None]) -> Work:
        """Walk again and again, for as long as this process `leads`.

        `report_mismatch` is called once for each list that is withdrawn.
        """

        async def walk() -> float | None:
            if not leads():
                return STAND_BY_S
            if not await self.is_whole():
                report_mismatch()
            return None

        return Work(name="verifying the cache", every_s=self._interval_s, do=walk)

    async def is_whole(self) -> bool:
        """Verify the live generation, and withdraw it if it is not whole; return whether it is.

        Raises CacheUnavailable, or CacheIncomplete if the pointer cannot be read.
        """
        generation = await self._cache.current()
        if generation is None:
            return True
        try:
            await self._walk.over(generation)
        except CacheIncomplete as error:
            # A generation that was replaced and swept meanwhile is not damaged.
            if await self._is_live(generation):
                _log.error("the cache is not whole, its list is withdrawn: %s", error)
                await self._cache.withdraw()
                return False
        return True

    async def _is_live(self, generation: Generation) -> bool:
        live = await self._cache.current()
        return live is not None and live.id == generation.id
