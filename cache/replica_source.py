"""The interface by which a node reads the list's changes, and by which the feed sees the nodes.

Two classes keep it: `cache.redis_replica_source` and `cache.memory_replica_source`, which is the
specification; one test suite runs over both.

The hash of nodes, by which the feed learns who has what (`cache.lease` says why it may):

    !           <run of Redis>:<when this was written, ms of Redis's clock>
    <node id>   {"version": 42, "change_id": "<id of change 42>", "author": "<random>", "turn": 3,
                 "run": "<run of Redis>", "at_ms": <when this was written, ms of Redis's clock>}

The list of nodes counts only in the run of Redis that `!` names, and only some time after `!` was
written.

One author is one `ReplicaSource`. An author begins a new turn when it does not know whether an
acknowledgement arrived. So an entry under the author's own turn, put there in this run, was put
there by the author, the author knows so, and nobody has removed the entry since. A Redis that
restarts from its disk may bring back an old entry, with heartbeats of a time that is long over.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Protocol

import msgspec

from cache.changes import COUNT_MAX, Position, StreamEntry, open_entry
from cache.errors import CacheIncomplete
from cache.generation import Generation
from cache.lease import SETTLED_S
from cache.token_key import TokenKey

SENTINEL_NODE = b"!"

BEFORE_ALL = "0-0"
"""The cursor before the first entry of a stream."""

SILENT_S = 3.0
"""Three leases, and some ten heartbeats."""

ENTRIES_AT_ONCE = 8
"""Most entries of one read: 1 600 tokens, which take the event loop some 3 ms to apply."""

LOADS_MAX = 3
"""A load that meets so many switches is given up: rebuilds are minutes apart."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """The filter of a generation: all of `position` is in `bits`, perhaps more.

    `cursor` is a place in the stream of changes from which on nothing may be missed. The tokens are
    stored under `key`.
    """

    generation: Generation
    key: TokenKey
    position: Position
    cursor: str
    bits: bytearray


class StreamRead(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of one read of the stream, in order.

    `generation_id` was live after the last of the entries was written, and all tokens of the
    entries are stored under its key. `unbroken`: nothing between the cursor and the entries was
    lost, by trimming or otherwise. `newest`: when the read was served, no entry was there beyond
    these.
    """

    generation_id: str | None
    cursor: str
    entries: tuple[StreamEntry, ...]
    unbroken: bool
    newest: bool


class HeldChange(msgspec.Struct, frozen=True):
    """The newest change that a node or a generation has, by number and id."""

    version: int
    change_id: str


NOTHING_HELD = HeldChange(-1, "")
"""A node whose field cannot be read."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """The newest change of each node; `head` is the live generation's, read before the nodes.

    `whole`: every node that may extend a lease is among them. `head` is None where it is not known.
    `silent` holds the nodes whose last acknowledgement is `SILENT_S` older than the newest of all.
    A live node acknowledges each heartbeat, so a silent node is dead or cut off.
    """

    whole: bool
    nodes: Mapping[str, HeldChange]
    head: HeldChange | None
    silent: frozenset[str] = frozenset()


class ReplicaSource(Protocol):
    """Any call may raise CacheUnavailable."""

    async def load(self) -> Image:
        """Return the live generation's filter, read a segment at a time.

        Raises CacheIncomplete where none is live, a part is missing or cut short, a segment does
        not match its checksum, or its tokens are stored under a key that is not held.
        """
        ...

    async def read_stream(self, cursor: str, *, wait_s: float) -> StreamRead:
        """Return the entries after `cursor`, waiting up to `wait_s` seconds for a first entry."""
        ...

    async def acknowledge(self, node: str, position: Position) -> bool:
        """Note on the list of nodes that the node has all changes up to `position`.

        Returns True if the node stood on the list without a gap, in one run of the store, since
        this object's last acknowledgement that was answered; False if the node is new on the list.
        """
        ...

    async def leave(self, node: str) -> None:
        """Take the node off the list."""
        ...

    async def nodes(self) -> Membership:
        """Return the newest change of each node."""
        ...

    async def drop_behind(self, version: int, strangers: Collection[str] = ()) -> None:
        """Remove each node that is behind `version` or holds a change of the ids `strangers`.

        Other nodes stay, also one that has caught up since it was read.
        """
        ...

    async def aclose(self) -> None:
        """Give up the connections."""
        ...


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a node's field."""

    version: Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]
    author: str
    turn: int
    run: str = ""
    change_id: str = ""
    at_ms: int = 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Member)


def encode_member(member: Member) -> bytes:
    """Return the value of a node's field."""
    return _encoder.encode(member)


def decode_member(raw: bytes | None) -> Member | None:
    """Return the member of a field; None if the field is missing or cannot be read."""
    try:
        return None if raw is None else _decoder.decode(raw)
    except msgspec.DecodeError:
        return None


def opened(
    found: Iterable[Mapping[bytes, bytes]], key: TokenKey | None
) -> tuple[StreamEntry, ...] | None:
    """Return the entries with these fields; `key` is that of the live generation, if it is held.

    None: an entry cannot be read, or its tokens do not match their seal. The seal is made with the
    key under which the tokens are stored, so tokens of another key never come to a replica: not
    even where Redis was set back to a generation of an older key and goes on from there.
    """
    if key is None:
        return None
    try:
        return tuple([open_entry(fields, key.checksum_key) for fields in found])
    except CacheIncomplete:
        return None


def membership(
    fields: Mapping[bytes, bytes], *, run: str, now_ms: int, head: HeldChange | None
) -> Membership:
    """Return the membership; a field that cannot be read is a node that has nothing yet."""
    since_run, _, since_ms = fields.get(SENTINEL_NODE, b"").decode(errors="replace").partition(":")
    members = {
        node.decode(errors="replace"): decode_member(raw)
        for node, raw in fields.items()
        if node != SENTINEL_NODE
    }
    return Membership(
        whole=since_run == run
        and since_ms.isdecimal()
        and now_ms - int(since_ms) >= SETTLED_S * 1000,
        nodes={node: _held_by(member) for node, member in members.items()},
        head=head,
        silent=_silent(members),
    )


def _silent(members: Mapping[str, Member | None]) -> frozenset[str]:
    """Return the silent nodes.

    Nodes are compared with each other and not with the clock: without heartbeats none is silent.
    """
    heard_ms = {node: member.at_ms for node, member in members.items() if member is not None}
    newest_ms = max(heard_ms.values(), default=0)
    return frozenset(n for n, ms in heard_ms.items() if newest_ms - ms > SILENT_S * 1000)


def _held_by(member: Member | None) -> HeldChange:
    return NOTHING_HELD if member is None else HeldChange(member.version, member.change_id)
