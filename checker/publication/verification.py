"""The background reader: verifies what the cache holds, and takes down a list that is not whole.

It runs beside the leader's loop, so once in a deployment. A list whose checksums fail is withdrawn:
then checks are answered by the registry, and the leader builds the list anew, as for a lost one.
"""

import asyncio
import logging
from collections.abc import Callable

from cache.errors import CacheIncomplete
from cache.generation import Generation
from cache.store import StandingCache
from cache.verification import Walk
from checker.fault_log import FaultLog

WALK_INTERVAL_S = 5.0
"""Between two walks. A small list is walked over in less; of a big one the walk takes minutes."""

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
        self._faults = FaultLog(_log, "verifying the cache")

    async def run(self, report_mismatch: Callable[[], None]) -> None:
        """Walk until cancelled; a walk that fails is begun anew, for nobody else would.

        `report_mismatch` is called once for each list that is withdrawn.
        """
        while True:
            try:
                if not await self.is_whole():
                    report_mismatch()
            except Exception as error:
                self._faults.met(error)
            else:
                self._faults.passed()
            await asyncio.sleep(self._interval_s)

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
            # One that was replaced and swept meanwhile is not damaged.
            if await self._is_live(generation):
                _log.error("the cache is not whole, its list is withdrawn: %s", error)
                await self._cache.withdraw()
                return False
        return True

    async def _is_live(self, generation: Generation) -> bool:
        live = await self._cache.current()
        return live is not None and live.id == generation.id
