"""Asks for a rebuild when a check finds a part of the cache missing.

A worker finds the missing part, and the publisher is another process. So the wish goes through
Redis. The wish names the generation that is not whole, and ends when a newer generation is live.
"""

import asyncio

from cache.store import StandingCache
from checker.work import Work

PAUSE_S = 1.0
"""Every check of a torn bucket finds the missing part; one wish is enough."""


class Repair:
    """One process's wishes."""

    def __init__(self, cache: StandingCache) -> None:
        self._cache = cache
        self._found = asyncio.Event()

    def report_incomplete(self) -> None:
        """Note that a check found a part of the live generation missing."""
        self._found.set()

    @property
    def work(self) -> Work:
        """Wait for a part that is missing and ask for a rebuild, again and again."""
        return Work(name="asking for a rebuild of the cache", every_s=PAUSE_S, do=self._ask)

    async def _ask(self) -> None:
        await self._found.wait()
        live = await self._cache.current()
        if live is not None:
            await self._cache.request_rebuild(live.id)
        self._found.clear()
