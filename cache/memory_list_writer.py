"""The publisher's side in memory: the specification of `ListWriter`.

Knows no Redis. Nothing takes time here, so a vouch is late only by its argument.
"""

from cache.amendment import amend
from cache.changes import (
    Change,
    Head,
    Position,
    StreamEntry,
    encode_entry,
    encode_head,
    positions_in,
    seal_of,
)
from cache.checksum import Checksums
from cache.errors import CacheIncomplete, CacheUnavailable, ChangeRefused
from cache.filter import BLOCK_BYTES, block_mask
from cache.generation import Generation, decode_pointer, key_of
from cache.keys import Keys
from cache.layout import SENTINEL
from cache.lease import VOUCH_MS, WRITE_DEADLINE_S
from cache.list_writer import ChangeSlice, State, entry_of, slices
from cache.memory import MemoryStore
from cache.memory_parts import MemoryParts
from cache.parts import touched_by
from cache.replica_source import membership
from cache.store import BUILD_MARKER_TTL_S
from cache.token import StoredToken
from cache.token_key import TokenKeys


class MemoryListWriter:
    """`ListWriter` over a `MemoryStore`."""

    def __init__(
        self, memory: MemoryStore, *, token_keys: TokenKeys, namespace: str = "checker"
    ) -> None:
        self._shared = memory
        self._keys = Keys(namespace)
        self._parts = MemoryParts(memory, self._keys)
        self._token_keys = token_keys
        self._closed = False

    async def state(self) -> State:
        """See `ListWriter.state`."""
        memory = self._reach()
        generation = self._live()
        head = None if generation is None else memory.head(self._keys.head(generation.id))
        rebuild = memory.string(self._keys.rebuild)
        fields = memory.hashes.get(self._keys.nodes, {})
        nodes = membership(fields, run=memory.run_id, now_ms=memory.now_ms(), head=None)
        return State(
            generation=None if head is None else generation,
            head=head,
            rebuild_wanted=None if rebuild is None else rebuild.decode(errors="replace"),
            nodes_whole=nodes.whole,
        )

    async def apply(self, generation: Generation, change: Change, *, live: bool) -> None:
        """See `ListWriter.apply`."""
        key = key_of(generation, self._token_keys)
        for part in slices(change, key):
            head = self._standing(generation, change, live=live)
            if part.before not in {"", head.partial}:
                raise ChangeRefused("the slices before this one are no longer in")
            self._refuse_torn(generation, part)
            held = self._parts.held_now(generation, touched_by(part, generation))
            reached = change.after if part.is_last else change.before
            checksums = Checksums(key.checksum_key, generation.id)
            amendment = amend(checksums, generation, part, held, reached)
            self._take(generation, change, part, head)
            for bucket, sentinel in amendment.sentinels.items():
                name = self._keys.bucket(generation.id, bucket)
                self._shared.hashes[name][SENTINEL] = sentinel
            self._shared.hashes[self._keys.sums(generation.id)] |= amendment.records
            if live:
                entry = entry_of(change, part)
                seal = seal_of(entry, key.checksum_key)
                self._shared.append(self._keys.changes, encode_entry(entry, seal))

    async def vouch(self, generation: Generation, position: Position, *, asked_ms_ago: int) -> bool:
        """See `ListWriter.vouch`."""
        memory, keys = self._reach(), self._keys
        live, head = self._live(), memory.head(keys.head(generation.id))
        if (
            asked_ms_ago > WRITE_DEADLINE_S * 1000
            or live is None
            or live.id != generation.id
            or head is None
            or head.change_id != position.change_id
        ):
            return False
        nodes = memory.hashes.setdefault(keys.nodes, {})
        run, _, since_ms = nodes.get(SENTINEL, b"").decode(errors="replace").partition(":")
        if run != memory.run_id or not since_ms.isdecimal():
            nodes[SENTINEL] = f"{memory.run_id}:{memory.now_ms()}".encode()
        memory.strings[keys.vouched] = memory.vouch_of(generation.id)
        memory.expire(keys.vouched, (VOUCH_MS - asked_ms_ago) / 1000)
        memory.append(keys.changes, encode_entry(StreamEntry.heartbeat(position)))
        return True

    async def recent(self) -> tuple[Position, ...]:
        """See `ListWriter.recent`."""
        stream = self._reach().streams.get(self._keys.changes, [])
        return positions_in(fields for _, fields in stream)

    async def aclose(self) -> None:
        """See `ListWriter.aclose`."""
        self._closed = True

    def _reach(self) -> MemoryStore:
        if self._closed or not self._shared.reachable:
            raise CacheUnavailable("the memory cannot be reached")
        return self._shared

    def _live(self) -> Generation | None:
        pointer = self._shared.string(self._keys.pointer)
        try:
            return None if pointer is None else decode_pointer(pointer)
        except CacheIncomplete:
            return None

    def _standing(self, generation: Generation, change: Change, *, live: bool) -> Head:
        """Return the generation's head if the change may be brought, else raise ChangeRefused."""
        memory, marker = self._reach(), self._keys.marker(generation.id)
        head = memory.head(self._keys.head(generation.id))
        now_live = self._live()
        is_live = now_live is not None and now_live.id == generation.id
        stands = is_live if live else marker in memory.names()
        if head is None or head.change_id != change.before.change_id or not stands:
            raise ChangeRefused("the generation does not stand where the change begins")
        if not live:
            memory.expire(marker, BUILD_MARKER_TTL_S)
        return head

    def _refuse_torn(self, generation: Generation, part: ChangeSlice) -> None:
        memory, keys = self._shared, self._keys
        for token, _ in part.outlines:
            segment, _ = generation.block_of(token)
            held = memory.strings.get(keys.segment(generation.id, segment), b"")
            if len(held) != generation.segment_bytes(segment):
                raise CacheIncomplete("a filter segment is missing or cut short")
        for token, _ in part.outlines:
            bucket = keys.bucket(generation.id, generation.bucket_of(token))
            if SENTINEL not in memory.hashes.get(bucket, {}):
                raise CacheIncomplete("a bucket or its sentinel is missing or cut short")

    def _take(self, generation: Generation, change: Change, part: ChangeSlice, head: Head) -> None:
        memory, keys = self._shared, self._keys
        added = head.added
        for token, value in part.outlines:
            bucket = memory.hashes[keys.bucket(generation.id, generation.bucket_of(token))]
            if value is None:
                bucket.pop(token, None)
                continue
            added += token not in bucket
            bucket[token] = value
            self._set_bits(generation, token)
        reached = change.after if part.is_last else head.position
        after = Head.at(reached, added=added, partial=part.after)
        memory.strings[keys.head(generation.id)] = encode_head(after)

    def _set_bits(self, generation: Generation, token: StoredToken) -> None:
        index, start = generation.block_of(token)
        key = self._keys.segment(generation.id, index)
        data = bytearray(self._shared.strings[key])
        block = int.from_bytes(data[start : start + BLOCK_BYTES]) | block_mask(token)
        data[start : start + BLOCK_BYTES] = block.to_bytes(BLOCK_BYTES)
        self._shared.strings[key] = bytes(data)
