"""Asks for a rebuild when a check finds a part of the cache missing.

The finder is a worker and the publisher another process, so the wish goes through Redis: it names
the generation that is not whole, and a newer one takes the wish away.
"""

import asyncio
import logging

from cache.errors import CacheError
from cache.store import StandingCache
from checker.fault_log import FaultLog

PAUSE_S = 1.0
"""A torn bucket is found by every check that comes by; one wish is enough."""

_log = logging.getLogger(__name__)


class Repair:
    """One process's wishes."""

    def __init__(self, cache: StandingCache) -> None:
        self._cache = cache
        self._found = asyncio.Event()

    def report_incomplete(self) -> None:
        """Say that a check found a part of the live generation missing."""
        self._found.set()

    async def run(self) -> None:
        """Pass wishes on until cancelled."""
        faults = FaultLog(_log, "asking for a rebuild of the cache")
        while True:
            await self._found.wait()
            try:
                live = await self._cache.current()
                if live is not None:
                    await self._cache.request_rebuild(live.id)
            except CacheError as error:
                faults.met(error)
            else:
                faults.passed()
            await asyncio.sleep(PAUSE_S)
            self._found.clear()
