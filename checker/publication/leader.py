"""The rounds of the publisher that leads: bring changes, vouch, and rebuild what cannot be brought.

A leader that has lost its lock without knowing does no harm: every write compares the cache's head.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from cache.changes import Change, Position
from cache.errors import CacheIncomplete, ChangeRefused
from cache.generation import Generation
from cache.lease import BEAT_S
from cache.list_writer import ListWriter, State
from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.publication.fenced import fenced
from checker.publication.outbox import Pending, prune_outbox, read_since
from checker.publication.rebuild import Rebuild
from checker.publication.registry_lease import forget_leases
from checker.registry.lost_changes import note_lost

SNAPSHOT_GRACE_S = 2.0
"""A snapshot switches to its own generation right after its commit; only then is it missing."""

PRUNE_INTERVAL_S = 60.0

_log = logging.getLogger(__name__)


class Leader:
    """The publisher while it leads: what it knows of the cache, and what it does about it."""

    def __init__(
        self,
        *,
        list_writer: ListWriter,
        cache: StandingCache,
        rebuild: Rebuild,
        token_keys: TokenKeys,
        clock: Callable[[], float],
        connection: AsyncConnection,
        notified: asyncio.Event,
    ) -> None:
        self._list_writer = list_writer
        self._cache = cache
        self._rebuild = rebuild
        self._token_keys = token_keys
        self._clock = clock
        self._connection = connection
        self._notified = notified
        self._pruned_at = clock()
        self._state: State | None = None
        self._beat_at = clock() - BEAT_S
        self._broken_since: float | None = None

    async def round(self) -> None:
        """Do what is due, and then wait for the next change, a heartbeat's time at most.

        Raises CacheError; the leader goes on with the next round.
        """
        self._notified.clear()
        if self._clock() - self._pruned_at > PRUNE_INTERVAL_S:
            self._pruned_at = self._clock()
            await prune_outbox(self._connection)
            await forget_leases(self._connection)
        await self._bring()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._notified.wait(), BEAT_S)

    async def _bring(self) -> None:
        """Do what is due: a change, a heartbeat, a rebuild."""
        is_beat = self._clock() - self._beat_at >= BEAT_S
        if is_beat or self._state is None:
            self._state = await self._list_writer.state()
        state = self._state
        head = state.head
        asked_at = self._clock()
        async with fenced(self._connection):
            pending = await read_since(self._connection, None if head is None else head.position)
        if pending is None or pending.is_foreign:
            await self._disown(state)
            return
        if pending.is_set_back:
            return  # without a vouch nobody is answered by Redis
        if self._is_due(state, pending):
            self._rebuild.start(gently=self._is_served(state, pending))
            # Read anew in each round, or the round after the switch would begin another rebuild.
            self._state = None
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
            self._rebuild.start(gently=False)

    def _is_served(self, state: State, pending: Pending) -> bool:
        """Whether the live generation goes on answering until it is replaced."""
        generation = state.generation
        return (
            generation is not None
            and state.head is not None
            and self._token_keys.known(generation.token_key) is not None
            and pending.outlines is not None
        )

    def _is_due(self, state: State, pending: Pending) -> bool:
        """Whether the live generation must be replaced by a whole one."""
        generation, head = state.generation, state.head
        if generation is None or head is None:
            return True
        if generation.token_key != self._token_keys.current.fingerprint:
            return True
        if pending.outlines is None:
            self._broken_since = self._broken_since or self._clock()
            return self._clock() - self._broken_since >= SNAPSHOT_GRACE_S
        self._broken_since = None
        return state.rebuild_wanted == generation.id or generation.is_full(head.added)

    async def _disown(self, state: State) -> None:
        """Note the lost changes of a list of another history, and then withdraw the list.

        A database was failed over or restored to an older state, or another one was named. The
        note comes first: without it the next leader would not know that the list went back.
        """
        if state.generation is None or state.head is None:
            return
        _log.error("the cache holds a list of another history: the list is withdrawn")
        known = [*await self._list_writer.recent(), state.head.position]
        await note_lost(self._connection, known)
        await self._cache.withdraw()
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
