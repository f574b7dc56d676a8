"""The barrier between "durable" and "in force": a feed answers when no node can miss its change.

Either every node says that it has the change, and none lives on PostgreSQL's word; or so much time
has passed since the commit that no lease from before it can hold any more (`cache.lease` proves
it), whatever became of Redis, the publisher or a node. So this never fails, it only takes longer.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheError
from cache.following import Following, Membership
from cache.lease import SETTLED_S
from checker.database.engine import driver_errors
from checker.errors import Unavailable
from checker.registry.registry_lease import anybody_lives_on_word

LOOK_INTERVAL_S = 0.004
"""Between two looks at the nodes: a tenth of what a change may take."""

OUTAGE_INTERVAL_S = 0.05
"""The same while Redis or PostgreSQL does not answer."""


class _Waiter(msgspec.Struct, frozen=True, eq=False):
    version: int
    settled_at: float
    done: asyncio.Future[None]


class Barrier:
    """Waits for changes to be in force; the waiters of a process share one look."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        following: Following,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._following = following
        self._clock = clock
        self._waiters: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, version: int) -> None:
        """Wait until no node can answer from before `version`, a change that is committed."""
        done = asyncio.get_running_loop().create_future()
        waiter = _Waiter(version, self._clock() + SETTLED_S, done)
        self._waiters.add(waiter)
        # A task of its own, so that a feed that is cancelled takes nobody along.
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            await done
        finally:
            self._waiters.discard(waiter)

    async def aclose(self) -> None:
        """Stop looking; whoever still waits is cancelled."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        for waiter in self._waiters:
            waiter.done.cancel()

    async def _look(self) -> None:
        try:
            while self._waiters:
                asked_at = self._clock()
                waiting = tuple(self._waiters)
                reached = await self._reached(waiting)
                self._settle(waiting, reached or 0)
                await self._pass_over_laggards(waiting, asked_at)
                await asyncio.sleep(OUTAGE_INTERVAL_S if reached is None else LOOK_INTERVAL_S)
        finally:
            self._looking = None

    async def _reached(self, waiting: tuple[_Waiter, ...]) -> int | None:
        """The newest version that every node has, 0 if that cannot be told; None: an outage.

        Of PostgreSQL's word is asked after the commits of those who wait, and only if it matters.
        """
        try:
            reached = _reached_by_all(await self._following.nodes())
            if all(waiter.version > reached for waiter in waiting):
                return reached
            with driver_errors():
                async with self._engine.connect() as connection:
                    return 0 if await anybody_lives_on_word(connection) else reached
        except (CacheError, Unavailable):
            return None

    def _settle(self, waiting: tuple[_Waiter, ...], reached: int) -> None:
        for waiter in waiting:
            if waiter.version <= reached:
                self._finish(waiter)

    async def _pass_over_laggards(self, waiting: tuple[_Waiter, ...], now: float) -> None:
        """Answer those who waited long enough, and let the next feed wait for nobody lost."""
        settled = [
            waiter for waiter in waiting if waiter in self._waiters and waiter.settled_at <= now
        ]
        if not settled:
            return
        for waiter in settled:
            self._finish(waiter)
        try:
            await self._following.drop_behind(max(waiter.version for waiter in settled))
        except CacheError:
            return  # then the next feed waits as long

    def _finish(self, waiter: _Waiter) -> None:
        self._waiters.discard(waiter)
        if not waiter.done.done():
            waiter.done.set_result(None)


def _reached_by_all(membership: Membership) -> int:
    if not membership.whole or membership.head is None:
        return 0
    return min((membership.head, *membership.versions.values()))
