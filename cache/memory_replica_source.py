"""`ReplicaSource` in memory: the specification, and the one for other tests.

The source reads and writes the store of `cache.memory`, under the key names of Redis. Knows no
Redis.
"""

import asyncio
from collections.abc import Collection
from uuid import uuid4

from cache.changes import Position, decode_head
from cache.errors import CacheIncomplete, CacheUnavailable
from cache.generation import Generation, decode_pointer, servable
from cache.keys import Keys
from cache.memory import MemoryStore
from cache.memory_parts import MemoryParts
from cache.replica_source import (
    BEFORE_ALL,
    ENTRIES_AT_ONCE,
    LOADS_MAX,
    SENTINEL_NODE,
    HeldChange,
    Image,
    Member,
    Membership,
    StreamRead,
    decode_member,
    encode_member,
    membership,
    opened,
)
from cache.token_key import TokenKeys
from cache.verification import verified_bits

_LOOK_INTERVAL_S = 0.005


class MemoryReplicaSource:
    """`ReplicaSource` over a `MemoryStore`."""

    def __init__(
        self, memory: MemoryStore, *, token_keys: TokenKeys, namespace: str = "checker"
    ) -> None:
        self._memory = memory
        self._token_keys = token_keys
        self._keys = Keys(namespace)
        self._parts = MemoryParts(memory, self._keys)
        self._author = uuid4().hex
        self._turn = 0
        self._closed = False

    async def load(self) -> Image:
        """See `ReplicaSource.load`."""
        for _ in range(LOADS_MAX):
            image = await self._load_once()
            if image is not None:
                return image
        raise CacheIncomplete("the list is switched faster than it can be loaded")

    async def read_stream(self, cursor: str, *, wait_s: float) -> StreamRead:
        """See `ReplicaSource.read_stream`."""
        waited_s = 0.0
        while not self._after(cursor) and waited_s < wait_s:
            await asyncio.sleep(_LOOK_INTERVAL_S)
            waited_s += _LOOK_INTERVAL_S
        found = self._after(cursor)[:ENTRIES_AT_ONCE]
        has_cursor = self._has(cursor)
        live = self._live()
        key = None if live is None else self._token_keys.known(live.token_key)
        entries = opened([fields for _, fields in found], key)
        if entries is None:
            entries, has_cursor = (), False
        return StreamRead(
            generation_id=None if live is None else live.id,
            cursor=found[-1][0] if found else cursor,
            entries=entries,
            unbroken=has_cursor or (cursor == BEFORE_ALL and not found),
            newest=len(found) < ENTRIES_AT_ONCE,
        )

    async def acknowledge(self, node: str, position: Position) -> bool:
        """See `ReplicaSource.acknowledge`."""
        turn, self._turn = self._turn, self._turn + 1
        memory = self._reach()
        nodes = memory.hashes.setdefault(self._keys.nodes, {})
        if nodes.get(SENTINEL_NODE, b"").partition(b":")[0] != memory.run_id.encode():
            nodes[SENTINEL_NODE] = f"{memory.run_id}:{memory.now_ms()}".encode()
        held = decode_member(nodes.get(node.encode()))
        mine = held is not None and held.author == self._author
        if held is None or not mine or held.turn <= turn:
            member = Member(
                version=position.version,
                change_id=position.change_id,
                author=self._author,
                turn=turn,
                run=memory.run_id,
                at_ms=memory.now_ms(),
            )
            nodes[node.encode()] = encode_member(member)
        self._turn = turn
        return held is not None and mine and held.turn == turn and held.run == memory.run_id

    async def leave(self, node: str) -> None:
        """See `ReplicaSource.leave`."""
        self._reach().hashes.get(self._keys.nodes, {}).pop(node.encode(), None)

    async def nodes(self) -> Membership:
        """See `ReplicaSource.nodes`."""
        memory = self._reach()
        live = self._live()
        try:
            head_key = self._keys.head("none" if live is None else live.id)
            at = decode_head(memory.strings.get(head_key))
            head: HeldChange | None = HeldChange(at.version, at.change_id)
        except CacheIncomplete:
            head = None
        fields = memory.hashes.get(self._keys.nodes, {})
        return membership(fields, run=memory.run_id, now_ms=memory.now_ms(), head=head)

    async def drop_behind(self, version: int, strangers: Collection[str] = ()) -> None:
        """See `ReplicaSource.drop_behind`."""
        fields = self._reach().hashes.get(self._keys.nodes, {})
        for node, raw in list(fields.items()):
            member = decode_member(raw)
            if node != SENTINEL_NODE and (
                member is None or member.version < version or member.change_id in strangers
            ):
                del fields[node]

    async def aclose(self) -> None:
        """See `ReplicaSource.aclose`."""
        self._closed = True

    async def _load_once(self) -> Image | None:
        run_id = self._reach().run_id
        stream = self._memory.streams.get(self._keys.changes, [])
        cursor = stream[-1][0] if stream else BEFORE_ALL
        pointer = self._memory.strings.get(self._keys.pointer)
        generation, key = servable(pointer, self._token_keys)
        await asyncio.sleep(0)  # as where each question is a trip of its own
        head_key = self._keys.head(generation.id)
        try:
            head = decode_head(self._memory.strings.get(head_key))
            bits = await verified_bits(self._parts, generation, key)
        except CacheIncomplete:
            if self._reach().strings.get(self._keys.pointer) == pointer:
                raise
            return None
        memory = self._reach()
        if memory.strings.get(self._keys.pointer) != pointer or memory.run_id != run_id:
            return None
        if decode_head(memory.strings.get(head_key)).version < head.version:
            return None
        if cursor != BEFORE_ALL and not self._has(cursor):
            return None
        return Image(
            generation=generation, key=key, position=head.position, cursor=cursor, bits=bits
        )

    def _reach(self) -> MemoryStore:
        if self._closed or not self._memory.reachable:
            raise CacheUnavailable("the memory cannot be reached")
        return self._memory

    def _live(self) -> Generation | None:
        pointer = self._reach().strings.get(self._keys.pointer)
        try:
            return None if pointer is None else decode_pointer(pointer)
        except CacheIncomplete:
            return None

    def _after(self, cursor: str) -> list[tuple[str, dict[bytes, bytes]]]:
        stream = self._reach().streams.get(self._keys.changes, [])
        return [entry for entry in stream if _order(entry[0]) > _order(cursor)]

    def _has(self, cursor: str) -> bool:
        stream = self._reach().streams.get(self._keys.changes, [])
        return any(entry_id == cursor for entry_id, _ in stream)


def _order(entry_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in entry_id.split("-"))
