"""Keeps a node's replica current: by the stream of changes or, while that is silent, the registry.

Two works share one `cache.leased_replica`, which holds the rules. One work reads the stream
(`read_once`). The other work asks the registry when half a lease has passed without a renewal
(`ask_word_if_due`). So a frozen Redis, which holds up the first work, does not hold up the second.

This file knows neither Redis nor PostgreSQL.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from cache.changes import Position
from cache.errors import CacheError, CacheUnavailable
from cache.lease import BEAT_S, LEASE_S, elapsed
from cache.leased_replica import Absence, Acknowledgement, LeasedReplica, Newer
from cache.replica_source import ReplicaSource
from cache.token import Token

__all__ = ["Absence", "AnotherHistory", "Newer", "RenewByWord", "ReplicaKeeper", "WordUnavailable"]

WAIT_S = LEASE_S / 4
"""For how long a read waits in the stream; heartbeats come sooner."""

RETRY_S = BEAT_S
"""After a failure, so that a Redis or a registry that is away is not asked all the time."""


class WordUnavailable(CacheUnavailable):
    """The registry cannot be asked either, so nothing renews the lease."""


class AnotherHistory(CacheError):
    """The registry has no such change: it was set back, failed over to an older state, or replaced.

    The node's list is of another history than the registry's, whatever the version numbers are.
    """


RenewByWord: TypeAlias = Callable[[str, Position], Awaitable[Newer | None]]
"""The registry's word for a node that lives without Redis: called with node and its position.

Notes that the node lives on the registry's word, and only then reads which changes came after that
position. None: the changes cannot be named token by token. Raises WordUnavailable, and
AnotherHistory if the registry does not have the change of that position.
"""


class ReplicaKeeper:
    """Keeps one node's replica; only `ask` and `ask_about_many` answer checks by it."""

    def __init__(
        self,
        node_id: str,
        replica_source: ReplicaSource,
        renew_by_word: RenewByWord,
        clock: Callable[[], float] = elapsed,
        markers: Sequence[Token] = (),
    ) -> None:
        """`node_id` is no other node's, nor that of this one before a restart.

        `markers` are kind markers (`cache.leased_replica`).
        """
        self.node_id = node_id
        self._replica_source = replica_source
        self._renew_by_word = renew_by_word
        self._clock = clock
        self._held = LeasedReplica(clock, markers)
        self._hears = False

    def ask(self, tokens: Sequence[Token]) -> Absence | None:
        """Return the tokens that cannot be ruled out; None without a lease or a loaded filter."""
        return self._held.ask(tokens)

    def ask_about_many(self, tokens: Sequence[Token]) -> Absence | None:
        """Return the answer of `ask`, which takes longer for many tokens."""
        return self._held.ask_about_many(tokens)

    @property
    def markers(self) -> tuple[Token, ...]:
        """The kind markers that `marked` is about."""
        return self._held.markers

    @property
    def marked(self) -> tuple[int, ...]:
        """Indices of the kind markers that cannot be ruled out, for an `ask` of the same step."""
        return self._held.marked

    @property
    def position(self) -> Position | None:
        """The list that this node holds, lease or no lease; None before the first load."""
        return self._held.position

    @property
    def holds_lease(self) -> bool:
        """Whether `ask` would answer now."""
        return self._held.holds_lease

    @property
    def hears(self) -> bool:
        """Whether the newest read of the stream was answered."""
        return self._hears

    @property
    def filter_bytes(self) -> int:
        """How much memory the filter takes."""
        return self._held.filter_bytes

    def filter_fill(self) -> float | None:
        """Return the share of the filter's bits that are set; None before the first load.

        It may run in a thread.
        """
        return self._held.filter_fill()

    async def aclose(self) -> None:
        """End the lease, and then take the node off the list of nodes.

        Both works must have ended before, because each of them may renew the lease.
        """
        self._held.end()
        with suppress(CacheError):
            await self._replica_source.leave(self.node_id)

    async def read_once(self) -> None:
        """Load the filter if that is due, then read the stream once.

        Raises what the `ReplicaSource` does.
        """
        try:
            await self._read_once()
        except BaseException:
            self._hears = False
            raise
        self._hears = True

    async def _read_once(self) -> None:
        if self._held.must_load:
            began_at = self._clock()
            image = await self._replica_source.load()
            await self._ask_about_held(image.position)
            await self._acknowledge(self._held.loaded(image, began_at))
        sent_at = self._clock()
        stream_read = await self._replica_source.read_stream(self._held.cursor, wait_s=WAIT_S)
        told = self._held.read(stream_read, sent_at)
        if told is not None:
            await self._acknowledge(told)

    async def _ask_about_held(self, loaded: Position) -> None:
        """Ask the registry whether it has the change that this node holds, before it is forgotten.

        The registry notes a change that it lacks. A list of the same history that is no older has
        every change of this node. Raises WordUnavailable.
        """
        held = self._held.position
        if held is None or (held.version <= loaded.version and held.history == loaded.history):
            return
        with suppress(AnotherHistory):
            await self._renew_by_word(self.node_id, held)

    async def ask_word_once(self) -> None:
        """Let the registry renew the lease, if it can. Raises WordUnavailable, AnotherHistory."""
        held = self._held.position
        if held is None:
            return
        asked_at = self._clock()
        try:
            newer = await self._renew_by_word(self.node_id, held)
        except AnotherHistory:
            self._held.unknown(held)
            raise
        if newer is not None:
            self._held.word(newer, after=held, asked_at=asked_at)

    async def ask_word_if_due(self) -> float:
        """Ask the registry where half a lease has passed; return the seconds until the next look.

        Raises WordUnavailable, AnotherHistory.
        """
        wait_s = self._held.word_due_at - self._clock()
        if wait_s <= 0:
            await self.ask_word_once()
            # The registry may not have been able to renew the lease.
            wait_s = max(self._held.word_due_at - self._clock(), RETRY_S)
        return min(wait_s, LEASE_S / 2)

    async def _acknowledge(self, told: Acknowledgement) -> None:
        try:
            stayed = await self._replica_source.acknowledge(self.node_id, told.position)
        except BaseException:
            self._held.unacknowledged()
            raise
        self._held.acknowledged(told, stayed=stayed, answered_at=self._clock())
