"""Builds the cache's next generation beside the live one, while changes go on.

The list is read in one snapshot of PostgreSQL. Changes that are made meanwhile go to the live
generation at once, and to the new generation before the switch: the new one is caught up from the
outbox until its head is the newest. The switch itself refuses a generation that is behind. A
process that dies in the middle leaves keys without a marker, which are swept.

A rebuild is gentle while the live generation answers: checks are worth more than its speed. Where
no generation answers, checks of listed persons wait for PostgreSQL, and a rebuild hurries.
"""

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.changes import Change, Position
from cache.errors import BuildRejected, CacheError
from cache.generation import Generation
from cache.list_writer import ListWriter
from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.database.engine import attempt, driver_errors
from checker.fault_log import FaultLog
from checker.publication.generation_build import build_generation
from checker.publication.outbox import read_since
from checker.registry.versions import newest_version

CATCH_UPS_MAX = 50
"""A change or two may come between a catch-up and the switch; more in a row are a fault."""

RETRY_S = 1.0
"""Between two attempts, when the first has failed."""

_ONE_PROCESS = text("SET LOCAL max_parallel_workers_per_gather = 0")
"""PostgreSQL counts the rows with one processor instead of three."""

_log = logging.getLogger(__name__)


class Rebuild:
    """At most one rebuild at a time, as a task beside the leader's loop."""

    def __init__(
        self,
        engine: AsyncEngine,
        cache: StandingCache,
        list_writer: ListWriter,
        token_keys: TokenKeys,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._list_writer = list_writer
        self._token_keys = token_keys
        self._task: asyncio.Task[None] | None = None
        self._faults = FaultLog(_log, "rebuilding the cache")

    def start(self, *, gently: bool) -> None:
        """Begin, unless one is under way."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(gently), name="rebuild")
            self._task.add_done_callback(self._over)

    async def aclose(self) -> None:
        """Give up a rebuild that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _over(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    async def _run(self, gently: bool) -> None:
        started = time.monotonic()
        try:
            with driver_errors():
                generation = await self._replace(gently)
        except Exception as error:
            self._faults.met(error)
            await asyncio.sleep(RETRY_S)
            return
        self._faults.passed()
        if generation is not None:
            seconds = time.monotonic() - started
            _log.info("rebuilt the cache: %d tokens in %.1f s", generation.entries, seconds)

    async def _replace(self, gently: bool) -> Generation | None:
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            version = await newest_version(connection)
            if version is None:
                return None
            if gently:
                await connection.execute(_ONE_PROCESS)
            generation = await build_generation(
                connection, self._cache, version, self._token_keys, gently=gently
            )
        try:
            await self._switch(generation, version.position)
        except CacheError:
            # The marker would keep this build for minutes, and memory has no room for two builds.
            with suppress(CacheError):
                await self._cache.give_up(generation)
                await self._cache.sweep()
            raise
        await self._cache.sweep()
        return generation

    async def _switch(self, generation: Generation, position: Position) -> None:
        for _ in range(CATCH_UPS_MAX):
            position = await self._catch_up(generation, position)
            try:
                await self._cache.switch(generation)
            except BuildRejected:
                if not await self._is_behind(position.version):
                    raise
            else:
                return
        raise BuildRejected("the list changes faster than a generation can be caught up")

    async def _catch_up(self, generation: Generation, position: Position) -> Position:
        """Bring the changes after `position` into the new generation; return its new position."""
        # In a transaction, which ends with the reading: outside of one no fence proves that the
        # outbox holds tokens of the key that they are read with. The generation may be of another
        # key by now; then it is whole all the same, and the leader asks for the next one.
        pending = await attempt(self._engine, partial(read_since, after=position))
        if pending is None or pending.outlines is None:
            raise BuildRejected("the list was replaced meanwhile")
        after = pending.newest.position
        if after.change_id == position.change_id:
            return position
        change = Change(before=position, after=after, outlines=pending.outlines)
        await self._list_writer.apply(generation, change, live=False)
        return after

    async def _is_behind(self, version: int) -> bool:
        head = (await self._list_writer.state()).head
        return head is not None and head.version > version
