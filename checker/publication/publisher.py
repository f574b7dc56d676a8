"""Brings changes from PostgreSQL to the cache, in order, and vouches that nothing is missing.

One process of the deployment leads, by an advisory lock of its connection; the others stand by and
take over when PostgreSQL sees that connection end. A leader that freezes loses it too, by the
connection's idle time-out. Leading is a loop: read what came after the cache's head, bring it
there, vouch. A notification wakes it at once, a heartbeat's time at the latest. Whatever cannot be
brought change by change is rebuilt beside what is in use (`checker.publication.rebuild`).

A leader that has lost its lock without knowing does no harm: every write compares the cache's head.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.changes import Change, Position
from cache.errors import CacheError, CacheIncomplete, CacheUnavailable, ChangeRefused
from cache.generation import Generation
from cache.lease import BEAT_S
from cache.list_writer import ListWriter, State
from cache.store import StandingCache
from checker.database.engine import driver_errors
from checker.database.leadership import leadership
from checker.database.locks import Lock
from checker.errors import Unavailable
from checker.fault_log import FaultLog
from checker.publication.outbox import Pending, prune_outbox, read_since
from checker.publication.rebuild import Rebuild
from checker.publication.registry_lease import forget_leases
from checker.publication.verification import Verification
from checker.registry.lost_changes import note_lost
from checker.registry.server_run import begin_run
from checker.registry.versions import CHANGE_CHANNEL

STAND_BY_S = 0.25
"""Between two attempts to lead: another takes over within a second."""

SNAPSHOT_GRACE_S = 2.0
"""A snapshot switches to its own generation right after its commit; only then is it missing."""

PRUNE_INTERVAL_S = 60.0

_log = logging.getLogger(__name__)


class Publisher:
    """Leads or stands by. `engine` is one without a bound on statements."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        cache: StandingCache,
        list_writer: ListWriter,
        token_key: str,
        clock: Callable[[], float] = time.monotonic,
        verification: Verification,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._list_writer = list_writer
        self._token_key = token_key
        self._clock = clock
        self._verification = verification

    async def run(self, report_mismatch: Callable[[], None] = lambda: None) -> None:
        """Lead or stand by until cancelled; what fails is tried again, for nobody else would.

        `report_mismatch` is called when a list in the cache does not match its checksums.
        """
        faults = FaultLog(_log, "bringing changes to the cache")
        while True:
            try:
                with driver_errors():
                    async with leadership(self._engine, Lock.PUBLISHER) as connection:
                        if connection is not None:
                            async with self._verifying(report_mismatch):
                                await self._lead(connection, faults)
            except Exception as error:
                faults.met(error)
            await asyncio.sleep(STAND_BY_S)

    async def rebuild_now(self) -> Generation | None:
        """Have the live generation replaced by whoever leads; give the new one, None: no list.

        Raises:
            Unavailable: PostgreSQL or Redis is away.
        """
        leading = asyncio.create_task(self.run())
        try:
            with driver_errors():
                async with self._engine.connect() as connection:
                    if await read_since(connection, None) is None:
                        return None
            return await self._replaced()
        finally:
            leading.cancel()
            await asyncio.gather(leading, return_exceptions=True)

    async def _replaced(self) -> Generation:
        try:
            before = await self._live()
            if before is not None:
                await self._cache.request_rebuild(before.id)
        except CacheUnavailable as error:
            raise Unavailable("Redis cannot be reached") from error
        while True:
            # A Redis that is slow under the rebuild is asked again.
            with contextlib.suppress(CacheUnavailable):
                live = await self._live()
                if live is not None and (before is None or live.id != before.id):
                    return live
            await asyncio.sleep(STAND_BY_S)

    async def _live(self) -> Generation | None:
        try:
            return await self._cache.current()
        except CacheIncomplete:
            return None

    async def _lead(self, connection: AsyncConnection, faults: FaultLog) -> None:
        rebuild = Rebuild(self._engine, self._cache, self._list_writer, self._token_key)
        leader = _Leader(self._list_writer, self._cache, rebuild, self._token_key, self._clock)
        pruned_at = self._clock()
        try:
            # Early, so that the first change after a failover need not wait for the run to age.
            await begin_run(connection)
            async with _notified(connection) as notified:
                while True:
                    notified.clear()
                    try:
                        await leader.bring(connection)
                    except CacheError as error:
                        faults.met(error)
                    else:
                        faults.passed()
                    if self._clock() - pruned_at > PRUNE_INTERVAL_S:
                        pruned_at = self._clock()
                        await prune_outbox(connection)
                        await forget_leases(connection)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(notified.wait(), BEAT_S)
        finally:
            await rebuild.aclose()

    @asynccontextmanager
    async def _verifying(self, report_mismatch: Callable[[], None]) -> AsyncIterator[None]:
        """Verify the cache meanwhile."""
        task = asyncio.create_task(self._verification.run(report_mismatch), name="verification")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Leader:
    """One leadership: what it knows of the cache, and what it does about it."""

    def __init__(
        self,
        list_writer: ListWriter,
        cache: StandingCache,
        rebuild: Rebuild,
        token_key: str,
        clock: Callable[[], float],
    ) -> None:
        self._list_writer = list_writer
        self._cache = cache
        self._rebuild = rebuild
        self._token_key = token_key
        self._clock = clock
        self._state: State | None = None
        self._beat_at = clock() - BEAT_S
        self._broken_since: float | None = None

    async def bring(self, connection: AsyncConnection) -> None:
        """Do what is due: a change, a heartbeat, a rebuild."""
        is_beat = self._clock() - self._beat_at >= BEAT_S
        if is_beat or self._state is None:
            self._state = await self._list_writer.state()
        state = self._state
        head = state.head
        asked_at = self._clock()
        pending = await read_since(connection, None if head is None else head.position)
        if pending is None or pending.is_foreign:
            await self._disown(connection, state)
        if pending is None:
            return
        if self._is_due(state, pending):
            self._rebuild.start()
        if state.generation is None or head is None or pending.outlines is None:
            return
        try:
            if head.change_id != pending.newest.change_id:
                await self._apply(state.generation, head.position, pending)
                self._state = None
            if is_beat:
                await self._vouch(state.generation, pending, asked_at)
        except ChangeRefused:
            self._state = None  # somebody switched: look again
        except CacheIncomplete:
            self._state = None
            self._rebuild.start()

    def _is_due(self, state: State, pending: Pending) -> bool:
        """Whether the live generation must be replaced by a whole one."""
        generation, head = state.generation, state.head
        if generation is None or head is None or generation.token_key != self._token_key:
            return True
        if pending.is_foreign:
            return True
        if pending.outlines is None:
            self._broken_since = self._broken_since or self._clock()
            return self._clock() - self._broken_since >= SNAPSHOT_GRACE_S
        self._broken_since = None
        return state.rebuild_wanted == generation.id or generation.is_full(head.added)

    async def _disown(self, connection: AsyncConnection, state: State) -> None:
        """Withdraw a list of another history than the registry's, and note the lost changes.

        A database was failed over or restored to an older state, or another one was named.
        """
        if state.generation is None or state.head is None:
            return
        _log.error("the cache holds a list of another history: the list is withdrawn")
        await self._cache.withdraw()
        await note_lost(connection, [*await self._list_writer.recent(), state.head.position])
        self._state = None

    async def _apply(self, generation: Generation, before: Position, pending: Pending) -> None:
        assert pending.outlines is not None
        after = pending.newest.position
        change = Change(before=before, after=after, outlines=pending.outlines)
        await self._list_writer.apply(generation, change, live=True)

    async def _vouch(self, generation: Generation, pending: Pending, asked_at: float) -> None:
        ago_ms = round((self._clock() - asked_at) * 1000)
        self._beat_at = self._clock()
        await self._list_writer.vouch(generation, pending.newest.position, asked_ms_ago=ago_ms)


@asynccontextmanager
async def _notified(connection: AsyncConnection) -> AsyncIterator[asyncio.Event]:
    """Give an event that is set when a change is committed."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    event = asyncio.Event()

    def wake(*_details: object) -> None:
        event.set()

    await driver.add_listener(CHANGE_CHANNEL, wake)
    try:
        yield event
    finally:
        if not driver.is_closed():
            await driver.remove_listener(CHANGE_CHANNEL, wake)
