"""Brings changes from PostgreSQL to the cache, in order, and vouches that nothing is missing.

One process of the deployment leads (`checker.database.leadership`), and the other processes stand
by. The leader reads the changes behind the cache's head, brings them there, and vouches
(`checker.publication.leader`). A notification wakes the leader at once, a heartbeat's time at the
latest. Changes that cannot be brought one by one are rebuilt beside the list in use
(`checker.publication.rebuild`).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.errors import CacheError, CacheIncomplete, CacheUnavailable
from cache.generation import Generation
from cache.list_writer import ListWriter
from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.database.engine import attempt, driver_errors
from checker.database.leadership import Lead
from checker.database.locks import Lock
from checker.errors import Unavailable
from checker.publication.leader import Leader
from checker.publication.outbox import read_since
from checker.publication.rebuild import Rebuild
from checker.publication.verification import Verification
from checker.registry.lost_changes import SET_BACK
from checker.registry.server_run import begin_run
from checker.registry.versions import CHANGE_CHANNEL
from checker.work import Work, working

STAND_BY_S = 0.25
"""Between two attempts to lead: another process takes over within a second."""


class Publisher:
    """Leads or stands by. `engine` is one without a bound on statements."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        cache: StandingCache,
        list_writer: ListWriter,
        token_keys: TokenKeys,
        clock: Callable[[], float] = time.monotonic,
        verification: Verification,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._list_writer = list_writer
        self._token_keys = token_keys
        self._clock = clock
        self._verification = verification

    def works(self, report_mismatch: Callable[[], None] = lambda: None) -> tuple[Work, ...]:
        """Return the works of one contender: lead or stand by, and verify the cache while leading.

        `report_mismatch` is called when a list in the cache does not match its checksums.
        """
        lead = Lead(
            self._engine,
            Lock.PUBLISHER,
            begin=self._begin,
            # A Redis that is away is no reason to give up the lead.
            outlived=(CacheError,),
        )
        bring = lead.work(
            "bringing changes to the cache",
            every_s=0,
            do=lambda leader: leader.round(),
            stand_by_s=STAND_BY_S,
        )
        return bring, self._verification.work(lambda: lead.is_held, report_mismatch)

    async def rebuild_now(self) -> Generation | None:
        """Have the leader replace the live generation; return the new one, None: no list.

        Raises:
            Unavailable: PostgreSQL or Redis is away, or the list is set back.
        """
        async with working(self.works()):
            with driver_errors():
                pending = await attempt(self._engine, partial(read_since, after=None))
            if pending is None:
                return None
            if pending.is_set_back:
                raise Unavailable(SET_BACK)
            return await self._replaced()

    async def _replaced(self) -> Generation:
        try:
            before = await self._live()
            if before is not None:
                await self._cache.request_rebuild(before.id)
        except CacheUnavailable as error:
            raise Unavailable("Redis cannot be reached") from error
        live = None
        while live is None or (before is not None and live.id == before.id):
            await asyncio.sleep(STAND_BY_S)
            # A Redis that is slow under the rebuild is asked again.
            with contextlib.suppress(CacheUnavailable):
                live = await self._live()
        return live

    async def _live(self) -> Generation | None:
        try:
            return await self._cache.current()
        except CacheIncomplete:
            return None

    @asynccontextmanager
    async def _begin(self, connection: AsyncConnection) -> AsyncIterator[Leader]:
        rebuild = Rebuild(self._engine, self._cache, self._list_writer, self._token_keys)
        try:
            # Early, so that the first change after a failover need not wait for the run to age.
            await begin_run(connection)
            async with _notified(connection) as notified:
                yield Leader(
                    list_writer=self._list_writer,
                    cache=self._cache,
                    rebuild=rebuild,
                    token_keys=self._token_keys,
                    clock=self._clock,
                    connection=connection,
                    notified=notified,
                )
        finally:
            await rebuild.aclose()


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
