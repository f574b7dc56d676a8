"""Keeps the cache at the newest version of the list, whatever befalls Redis or another process.

Twice a second it asks PostgreSQL for the newest version and the cache for its pointer. Where they
differ, or a check found a part missing, one process of the deployment rebuilds the cache beside
what is there and switches. Until then checks ask the registry: what is behind is never believed.
"""

import asyncio
import contextlib
import logging

from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheIncomplete
from cache.generation import Generation
from cache.store import StandingCache
from checker.database.engine import driver_errors
from checker.database.locks import Lock, try_hold
from checker.fault_log import FaultLog
from checker.registry.publication import (
    ListVersion,
    build_generation,
    newest_version,
    withdraw_unknown,
)

LOOK_INTERVAL_S = 0.5

_log = logging.getLogger(__name__)


class Publisher:
    """Watches one deployment's list. `engine` must be one without a bound on statements."""

    def __init__(self, engine: AsyncEngine, cache: StandingCache, token_key: str) -> None:
        self._engine = engine
        self._cache = cache
        self._token_key = token_key
        self._newest: ListVersion | None = None
        self._live_id: str | None = None
        self._incomplete_id: str | None = None
        self._wake = asyncio.Event()

    @property
    def newest(self) -> ListVersion | None:
        """The newest version seen; at most half a second old while PostgreSQL answers."""
        return self._newest

    def is_current(self, generation: Generation) -> bool:
        """Whether a generation may be believed: made with our key, and not behind what we know."""
        return (
            generation.token_key == self._token_key
            and self._newest is not None
            and generation.version >= self._newest.version
        )

    def report_incomplete(self) -> None:
        """Say that a check found a part of the cache missing; a rebuild begins at once.

        Meant is the generation last seen live: if another process has replaced it since, all is
        well.
        """
        self._incomplete_id = self._live_id
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled; whatever fails is tried again, for nobody else would.

        Without the publisher checks stay right and become slow: they ask the registry.
        """
        faults = FaultLog(_log, "bringing the cache up to date")
        while True:
            try:
                await self.look()
            except Exception as error:
                faults.met(error)
            else:
                faults.passed()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_INTERVAL_S)

    async def look(self) -> bool:
        """Compare both stores and rebuild if they differ; tell whether a switch was made."""
        with driver_errors():
            async with self._engine.connect() as connection:
                self._newest = await newest_version(connection)
            if await self._is_whole():
                return False
            async with try_hold(self._engine, Lock.LIST_WRITER) as held:
                # Whoever holds the lock is putting the newest list in force right now.
                return held and not await self._is_whole() and await self._rebuild()

    async def rebuild(self) -> Generation | None:
        """Build and switch even where nothing is missing; None: there is no list yet."""
        with driver_errors():
            async with self._engine.connect() as connection:
                version = await newest_version(connection)
                await withdraw_unknown(self._cache, version)
                if version is None:
                    return None
                generation = await build_generation(
                    connection, self._cache, version, self._token_key
                )
        await self._cache.switch(generation)
        self._newest = version
        await self._cache.sweep()
        return generation

    async def _rebuild(self) -> bool:
        generation = await self.rebuild()
        if generation is None:
            return False
        self._incomplete_id = None
        _log.info("rebuilt the cache at version %d", generation.version)
        return True

    async def _is_whole(self) -> bool:
        try:
            generation = await self._cache.current()
        except CacheIncomplete:
            generation = None
        self._live_id = None if generation is None else generation.id
        if self._newest is None:
            return generation is None
        return (
            generation is not None
            and generation.token_key == self._token_key
            and generation.version == self._newest.version
            and generation.id != self._incomplete_id
        )
