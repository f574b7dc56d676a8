"""The barrier between "durable" and "in force": a feed answers when no node can miss its change.

A change is in force in one of two ways:

1. every node has noted that it has the change, and no node lives on PostgreSQL's word;
2. so much time has passed since the commit that no lease from before the commit can hold
   (`cache.lease` proves this), whatever happened to Redis, the publisher or a node.

So an outage only makes a feed wait longer.

A node has a change if the node holds that change, or a later one, *of the registry's history*: the
node's newest change must be in the registry by number and id. A number alone proves nothing,
because a failover to an older state gives a number a second time. The wait fails in one case: the
registry has been failed over since the commit, and the change itself is lost.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheError
from cache.lease import SETTLED_S
from cache.replica_source import NOTHING_HELD, HeldChange, Membership, ReplicaSource
from checker.database.engine import driver_errors
from checker.errors import Unavailable
from checker.publication.registry_lease import anybody_lives_on_word
from checker.registry.lost_changes import ids_unknown
from checker.registry.server_run import is_settled
from checker.registry.versions import ListVersion

LOOK_INTERVAL_S = 0.004
"""Between two looks at the nodes: a tenth of what a change may take."""

OUTAGE_INTERVAL_S = 0.05
"""The same while Redis or PostgreSQL does not answer."""


class _Waiter(msgspec.Struct, frozen=True, eq=False):
    change: ListVersion
    settled_at: float
    done: asyncio.Future[None]


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look: the newest version that every node has, and the ids that the registry lacks."""

    reached: int
    strangers: frozenset[str] = frozenset()


_NOBODY_YET = _Seen(reached=0)


class Barrier:
    """Waits for changes to be in force; the waiters of a process share one look."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        replica_source: ReplicaSource,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._replica_source = replica_source
        self._clock = clock
        self._waiters: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, change: ListVersion) -> None:
        """Wait until no node can answer from before `change`, which is committed.

        Raises:
            Unavailable: the change was lost in a failover of the registry; it must be sent again.
        """
        done = asyncio.get_running_loop().create_future()
        waiter = _Waiter(change, self._clock() + SETTLED_S, done)
        self._waiters.add(waiter)
        # A task of its own, so that a feed that is cancelled takes nobody along.
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            await done
        finally:
            self._waiters.discard(waiter)

    async def aclose(self) -> None:
        """Stop looking; cancel the waits."""
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
                seen = await self._see(waiting)
                self._settle(waiting, seen or _NOBODY_YET)
                await self._pass_over_laggards(waiting, seen or _NOBODY_YET, asked_at)
                await asyncio.sleep(OUTAGE_INTERVAL_S if seen is None else LOOK_INTERVAL_S)
        except Exception as error:
            # A bug. The waiters must learn of it, or they would wait for ever.
            for waiter in self._waiters:
                if not waiter.done.done():
                    waiter.done.set_exception(error)
            raise
        finally:
            self._looking = None

    async def _see(self, waiting: tuple[_Waiter, ...]) -> _Seen | None:
        """Look at the nodes and, if it matters, at the registry; None: an outage.

        The registry is asked after the commits of all waiters, and only if all nodes have come far
        enough, or a waiter's time is over.
        """
        try:
            membership = await self._replica_source.nodes()
            reached = _reached_by_all(membership)
            is_over = any(waiter.settled_at <= self._clock() for waiter in waiting)
            if not is_over and all(waiter.change.version > reached for waiter in waiting):
                return _Seen(reached=reached)
            held = {each for each in (*membership.nodes.values(), membership.head) if each}
            held |= {HeldChange(each.change.version, each.change.change_id) for each in waiting}
            with driver_errors():
                async with self._engine.connect() as connection:
                    strangers = await ids_unknown(connection, held - {NOTHING_HELD})
                    # The rows of such nodes prove something only once the run is settled.
                    lives_on_word = await anybody_lives_on_word(connection)
                    may_live = lives_on_word or not await is_settled(connection)
        except (CacheError, Unavailable):
            return None
        return _Seen(reached=0 if strangers or may_live else reached, strangers=strangers)

    def _settle(self, waiting: tuple[_Waiter, ...], seen: _Seen) -> None:
        for waiter in waiting:
            if waiter.change.change_id in seen.strangers:
                self._fail(waiter)
            elif waiter.change.version <= seen.reached:
                self._finish(waiter)

    async def _pass_over_laggards(
        self, waiting: tuple[_Waiter, ...], seen: _Seen, now: float
    ) -> None:
        """Answer waiters whose time is over, and take lost nodes off for the next feed."""
        settled = [
            waiter for waiter in waiting if waiter in self._waiters and waiter.settled_at <= now
        ]
        if not settled:
            return
        for waiter in settled:
            self._finish(waiter)
        try:
            newest = max(waiter.change.version for waiter in settled)
            await self._replica_source.drop_behind(newest, seen.strangers)
        except CacheError:
            return  # then the next feed waits as long

    def _finish(self, waiter: _Waiter) -> None:
        self._waiters.discard(waiter)
        if not waiter.done.done():
            waiter.done.set_result(None)

    def _fail(self, waiter: _Waiter) -> None:
        self._waiters.discard(waiter)
        if not waiter.done.done():
            text = "the change was lost in a failover of the registry; send it again"
            waiter.done.set_exception(Unavailable(text))


def _reached_by_all(membership: Membership) -> int:
    """Return the least version among head and nodes, by number alone."""
    if not membership.whole or membership.head is None:
        return 0
    return min(held.version for held in (membership.head, *membership.nodes.values()))
