"""Keeps a node's replica current: by the stream of changes or, while that is silent, the registry.

Two loops share one `cache.leased_replica`, which holds the rules: one reads the stream, the other
asks the registry when half a lease has passed without a renewal. They are two so that a Redis which
is frozen, and holds up the first, does not hold up the second.

Knows neither Redis nor PostgreSQL: the keeper is given a `ReplicaSource`, and the registry's word.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from cache.changes import Position
from cache.errors import CacheError, CacheUnavailable
from cache.lease import BEAT_S, LEASE_S, elapsed
from cache.leased_replica import Absence, Acknowledgement, LeasedReplica, Newer
from cache.replica_source import ReplicaSource
from cache.token import Token

__all__ = ["Absence", "AnotherHistory", "Newer", "RegistryWord", "ReplicaKeeper", "WordUnavailable"]

WAIT_S = LEASE_S / 4
"""For how long a read waits in the stream; heartbeats come sooner."""

RETRY_S = BEAT_S
"""After a failure, so that a Redis or a registry that is away is not asked all the time."""


class WordUnavailable(CacheUnavailable):
    """The registry cannot be asked either."""


class AnotherHistory(CacheError):
    """The registry has no such change: it was set back, failed over to an older state, or replaced.

    The node's list is of another history than the registry's, whatever the version numbers are.
    """


class RegistryWord(Protocol):
    """What the registry tells a node that lives without Redis."""

    async def renew(self, node: str, after: Position) -> Newer | None:
        """Note that the node lives on the registry's word, and only then ask what is newest.

        None: the changes after `after` cannot be told token by token. Raises WordUnavailable, and
        AnotherHistory if the registry does not have the change of `after`.
        """
        ...


class ReplicaKeeper:
    """Keeps one node's replica; only `ask` answers a check from the replica."""

    def __init__(
        self,
        node_id: str,
        replica_source: ReplicaSource,
        word: RegistryWord,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        """`node_id` is no other node's, nor that of this one before a restart."""
        self.node_id = node_id
        self._replica_source = replica_source
        self._word = word
        self._clock = clock
        self._held = LeasedReplica(clock)

    def ask(self, tokens: Sequence[Token]) -> Absence | None:
        """Say which tokens cannot be ruled out; None without a lease, or before the first load."""
        return self._held.ask(tokens)

    @property
    def position(self) -> Position | None:
        """The list that this node holds, lease or no lease; None before the first load."""
        return self._held.position

    @property
    def holds_lease(self) -> bool:
        """Whether `ask` would answer now."""
        return self._held.holds_lease

    @property
    def filter_bytes(self) -> int:
        """How much memory the filter takes."""
        return self._held.filter_bytes

    async def run(self, report: Callable[[Exception], None]) -> None:
        """Keep the replica until cancelled; each failure is reported, and tried again.

        On the way out the lease ends, and then the node leaves the list of nodes.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep(self.read_once, report))
                group.create_task(self._keep(self._wait_and_ask, report))
        finally:
            self._held.end()
            with suppress(CacheError):
                await self._replica_source.leave(self.node_id)

    async def read_once(self) -> None:
        """Load the filter if that is due, then read the stream once.

        Raises what the `ReplicaSource` does.
        """
        if self._held.must_load:
            began_at = self._clock()
            image = await self._replica_source.load()
            await self._acknowledge(self._held.loaded(image, began_at))
        sent_at = self._clock()
        stream_read = await self._replica_source.read_stream(self._held.cursor, wait_s=WAIT_S)
        told = self._held.read(stream_read, sent_at)
        if told is not None:
            await self._acknowledge(told)

    async def ask_word_once(self) -> None:
        """Let the registry renew the lease, if it can. Raises WordUnavailable, AnotherHistory."""
        held = self._held.position
        if held is None:
            return
        asked_at = self._clock()
        try:
            newer = await self._word.renew(self.node_id, held)
        except AnotherHistory:
            self._held.unknown(held)
            raise
        if newer is not None:
            self._held.word(newer, after=held, asked_at=asked_at)

    async def _acknowledge(self, told: Acknowledgement) -> None:
        try:
            stayed = await self._replica_source.acknowledge(self.node_id, told.position)
        except BaseException:
            self._held.unacknowledged()
            raise
        self._held.acknowledged(told, stayed=stayed, answered_at=self._clock())

    async def _wait_and_ask(self) -> None:
        wait_s = self._held.word_due_at - self._clock()
        if wait_s > 0:
            await asyncio.sleep(min(wait_s, LEASE_S / 2))
            return
        await self.ask_word_once()
        if self._held.word_due_at <= self._clock():
            await asyncio.sleep(RETRY_S)  # it could not tell

    async def _keep(
        self, work: Callable[[], Awaitable[None]], report: Callable[[Exception], None]
    ) -> None:
        while True:
            try:
                await work()
            except Exception as error:
                report(error)
                await asyncio.sleep(RETRY_S)
