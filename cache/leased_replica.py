"""A replica under its lease: the only part that answers "not listed" without asking anybody.

Events come in as calls, in any order and however late. This file does no I/O and reads no clock
except the lease's. `cache.lease` proves that these rules are enough:

    event                                 effect
    a filter was loaded                   its bits answer; a lease stays only at the same change
    an entry that follows the own past    tokens are added, the position moves on, acknowledged
    a heartbeat of the change held        a renewal, from the read before on, once acknowledged
    an entry that is no heartbeat         no renewal: only heartbeats are bound to a deadline
    a gap, or another generation          loading anew; the old bits answer while their lease lasts
    another history                       the lease ends at once, loading anew
    acknowledged, but only just come in   no renewal: nobody waited for this node until now
    the registry's word                   tokens are added, a renewal from when it was asked on

The own past is the ids of the changes that the replica went through since it was loaded. An entry
that leads from one of these changes to another change brings all that the replica lacks of the
other change. So the replica may move there, whatever the version numbers are. An entry of an
unknown past may be of another history with the same numbers: after a failover, or from a Redis that
was set back.

Bits and entries hold stored tokens (`cache.token_key`), and callers ask with tokens. The key of the
bits is loaded and replaced together with the bits, in one step. So each question is put to the bits
under their own key, while a token key is replaced too. A replica of the new generation may still
read what was written under the older generation and its key. This does no harm:

- An entry with tokens of another key never comes here. Its seal does not fit
  (`cache.replica_source.opened`), and the node loads anew behind the entry. If the entry came here,
  the position would move on, and the bits would lack the tokens under their own key.
- An entry without tokens lacks nothing. Where it ends a change in several entries, those before it
  had the tokens, and were refused.
- Nothing is lost with an entry that is passed over. It was written before the switch, and the
  switch demands that the new generation has all changes of the live one.

A kind marker is a token that stands on the list if any token of its kind ever did. Where a kind
marker is proven absent, no token of its kind is on the list. `marked` is kept ready, because every
check would otherwise ask for the same kind markers.

Every moment given as an argument is one of the lease's clock.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from cache.changes import Position, StreamEntry
from cache.lease import LEASE_S, ReplicaLease, elapsed
from cache.replica import Replica
from cache.replica_source import BEFORE_ALL, Image, StreamRead
from cache.token import TOKEN_BYTES, StoredToken, Token


class Absence(msgspec.Struct, frozen=True):
    """The proof that no token is on the list of `position`, except perhaps those in `maybes`."""

    position: Position
    maybes: tuple[int, ...]
    """Indices of the tokens that cannot be ruled out."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The position to note on the list of nodes; the lease that follows runs from `since`.

    `since` None: no lease follows.
    """

    position: Position
    since: float | None


class Newer(msgspec.Struct, frozen=True, kw_only=True):
    """The registry's newest version, and all tokens that came onto the list since the one held."""

    position: Position
    tokens: Sequence[Token]


PAST_KEPT = 256
"""Changes whose ids a replica remembers: more than the entries that one read of Redis lags."""


class LeasedReplica:
    """The list as one node knows it, and the lease under which the node may answer by it."""

    def __init__(self, clock: Callable[[], float] = elapsed, markers: Sequence[Token] = ()) -> None:
        self.markers = tuple(markers)
        self.marked: tuple[int, ...] = tuple(range(len(self.markers)))
        """Indices of the kind markers that cannot be ruled out, for an `ask` of the same step."""
        self._lease = ReplicaLease(clock)
        self._replica: Replica | None = None
        # Ids of the changes gone through since the load, the one held last.
        self._past: dict[str, None] = {}
        # The answer when nobody asked about can be on the list: nearly always.
        self._nobody: Absence | None = None
        self._loaded_at = float("-inf")
        # When the latest read was sent after which nothing was left in the stream.
        self._read_at = float("-inf")
        # Since when the node is known to be on the list of nodes without a gap.
        self._member_since: float | None = None
        self.cursor: str = BEFORE_ALL
        self.must_load: bool = True

    def ask(self, tokens: Sequence[Token]) -> Absence | None:
        """Return the tokens that cannot be ruled out; None: this node cannot answer now."""
        # The lease first: a caller held up behind this line began before the lease ended.
        replica = self._replica
        if replica is None or not self._lease.holds():
            return None
        may_contain = replica.may_contain
        cipher = replica.cipher
        # `Any`: without a cipher the tokens are stored as they are.
        stored: Sequence[Any] = tokens if cipher is None else cipher.each_stored(tokens)
        if len(stored) == 1 and not may_contain(stored[0]):
            return self._nobody
        maybes = [index for index, token in enumerate(stored) if may_contain(token)]
        if maybes:
            return Absence(replica.position, tuple(maybes))
        return self._nobody

    def ask_about_many(self, tokens: Sequence[Token]) -> Absence | None:
        """Return the answer of `ask`, which takes longer for many tokens."""
        replica = self._replica
        if replica is None or not self._lease.holds():
            return None
        together = b"".join(tokens)
        assert len(together) == len(tokens) * TOKEN_BYTES, (
            "a token of another length moves the rest"
        )
        maybes = replica.maybes(replica.key.stored(together))
        if maybes:
            return Absence(replica.position, tuple(maybes))
        return self._nobody

    @property
    def position(self) -> Position | None:
        """The list that the bits hold, lease or no lease; None before the first load."""
        return None if self._replica is None else self._replica.position

    @property
    def filter_bytes(self) -> int:
        """How much memory the bits take."""
        return 0 if self._replica is None else self._replica.filter_bytes

    def filter_fill(self) -> float | None:
        """Return the share of the filter's bits that are set; None before the first load."""
        return None if self._replica is None else self._replica.fill()

    @property
    def holds_lease(self) -> bool:
        """Whether `ask` would answer."""
        return self._replica is not None and self._lease.holds()

    @property
    def word_due_at(self) -> float:
        """When the registry must be asked, if nothing renews the lease until then."""
        if self._replica is None:
            return float("inf")
        return max(self._lease.until, self._loaded_at + LEASE_S) - LEASE_S / 2

    def loaded(self, image: Image, sent_at: float) -> Acknowledgement:
        """Take over a filter whose loading began at `sent_at`."""
        held = self.position
        if held is not None and image.position.change_id != held.change_id:
            # Nobody knows whether the loaded list has all that the lease vouches for: the list may
            # have been set back, or be of another history.
            self._lease.end()
            self._member_since = None
        self._replica = Replica(image.generation, image.position, image.bits, image.key)
        self._look_at_markers(self._replica)
        self._past.clear()
        self._move_to(image.position)
        self.cursor = image.cursor
        self._loaded_at = self._read_at = sent_at
        self.must_load = False
        return Acknowledgement(position=image.position, since=None)

    def read(self, stream_read: StreamRead, sent_at: float) -> Acknowledgement | None:
        """Take in a read of the stream that was sent at `sent_at`."""
        replica = self._replica
        if (
            replica is None
            or not stream_read.unbroken
            or stream_read.generation_id != replica.generation.id
        ):
            self.must_load = True
            return None
        before = replica.position
        has_beat = False
        for entry in stream_read.entries:
            if not self._follows(entry, replica.position):
                return None
            self._apply(replica, entry)
            is_held = entry.position.change_id == replica.position.change_id
            has_beat = has_beat or (entry.is_heartbeat and is_held)
        since = self._read_at if has_beat else None
        self.cursor = stream_read.cursor
        if stream_read.newest:
            self._read_at = sent_at
        if since is None and replica.position == before:
            return None
        return Acknowledgement(position=replica.position, since=since)

    def acknowledged(self, told: Acknowledgement, *, stayed: bool, answered_at: float) -> None:
        """Note that the list of nodes has the position; `stayed` is the answer to `acknowledge`."""
        if not stayed or self._member_since is None:
            self._member_since = answered_at
        if (
            told.since is not None
            and told.since >= self._member_since
            and told.position.change_id in self._past
        ):
            self._lease.renew(told.since)

    def unacknowledged(self) -> None:
        """Note that nobody knows whether the list of nodes has the position."""
        self._member_since = None

    def word(self, newer: Newer, *, after: Position, asked_at: float) -> None:
        """Take in the registry's changes after `after`; the registry was asked at `asked_at`."""
        replica = self._replica
        if replica is None or after.change_id not in self._past:
            return  # another list was loaded meanwhile, and the word does not concern that list
        self._add(replica, replica.key.each_stored(newer.tokens))
        if newer.position.version > replica.position.version:
            self._move_to(newer.position)
        self._lease.renew(asked_at)

    def unknown(self, position: Position) -> None:
        """Note that the registry has no change with the id of `position`."""
        held = self.position
        if held is not None and held.change_id == position.change_id:
            self._meet_another_history()

    def end(self) -> None:
        """Answer nothing more until the lease is renewed."""
        self._lease.end()

    def _follows(self, entry: StreamEntry, held: Position) -> bool:
        """Return whether the entry may be applied; where it may not, a load is due."""
        if entry.previous_id in self._past or entry.position.change_id in self._past:
            return True
        if entry.position.version < held.version:
            # An entry from before the load. Its tokens are of the same key, because the entry was
            # opened with the key of the replica's generation. They do no harm: more bits rule out
            # fewer. The position stays.
            return True
        if entry.previous > held.version:
            self.must_load = True
        else:
            self._meet_another_history()
        return False

    def _meet_another_history(self) -> None:
        self._lease.end()
        self._member_since = None
        self.must_load = True

    def _apply(self, replica: Replica, entry: StreamEntry) -> None:
        # Also the tokens of a change that is held: a Redis that was set back sends them again.
        self._add(replica, entry.tokens)
        if (
            entry.final
            and entry.previous_id in self._past
            and entry.position.change_id not in self._past
        ):
            self._move_to(entry.position)

    def _add(self, replica: Replica, tokens: Sequence[StoredToken]) -> None:
        replica.add(tokens)
        self._look_at_markers(replica)

    def _look_at_markers(self, replica: Replica) -> None:
        may_contain = replica.may_contain
        stored = replica.key.each_stored(self.markers)
        self.marked = tuple([index for index, marker in enumerate(stored) if may_contain(marker)])

    def _move_to(self, position: Position) -> None:
        assert self._replica is not None
        self._replica.position = position
        self._nobody = Absence(position, ())
        self._past[position.change_id] = None
        if len(self._past) > PAST_KEPT:
            del self._past[next(iter(self._past))]
