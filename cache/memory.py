"""The store in memory: the specification of `StandingCache`, and the one for other tests.

The store keeps the values that Redis would keep, under the same key names. So a test can lose or
cut a key in either store, and both must answer the same. Knows no Redis.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, assert_never
from uuid import uuid4

from cache.changes import CHANGES_KEPT, Head, Position, decode_head, encode_head
from cache.checksum import record_fields
from cache.errors import BuildRejected, CacheIncomplete, CacheUnavailable, CacheUnvouched
from cache.eviction import refuse_evicting
from cache.filter import BLOCK_BYTES
from cache.generation import (
    SEGMENT_BLOCKS,
    Generation,
    decode_pointer,
    encode_pointer,
    servable,
)
from cache.keys import Keys
from cache.layout import (
    SENTINEL,
    Bucket,
    ChecksumRecords,
    Entries,
    Piece,
    Segment,
    key_of_entries,
    lay_out,
)
from cache.store import BUILD_MARKER_TTL_S, Lookup, refuse_misshapen
from cache.token import StoredToken, Token
from cache.token_key import TokenKeys


class MemoryStore:
    """Stands for one Redis: several stores may share it, and a test may damage it.

    `policy`, `run_id` and `reachable` stand for its eviction policy, the random id of its process,
    and the way to it. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.strings: dict[str, bytes] = {}
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self.streams: dict[str, list[tuple[str, dict[bytes, bytes]]]] = {}
        self.policy = "noeviction"
        self.run_id = uuid4().hex
        self.reachable = True
        self._appended = 0
        self._deadlines: dict[str, float] = {}
        self._clock = clock

    def names(self) -> set[str]:
        """Return the names of all keys that have not expired."""
        for key in [key for key, at in self._deadlines.items() if at <= self._clock()]:
            self.remove(key)
        return {*self.strings, *self.hashes, *self.streams}

    def string(self, key: str) -> bytes | None:
        """Return the string of a key, None if it is missing or has expired."""
        return self.strings.get(key) if key in self.names() else None

    def head(self, key: str) -> Head | None:
        """Return the head a key holds, None if it is missing or cannot be read."""
        try:
            return decode_head(self.string(key))
        except CacheIncomplete:
            return None

    def expire(self, key: str, ttl_s: float) -> None:
        """Let a key end by itself `ttl_s` seconds from now."""
        self._deadlines[key] = self._clock() + ttl_s

    def remove(self, key: str) -> bool:
        """Remove a key; return whether it was there."""
        self._deadlines.pop(key, None)
        places: tuple[dict[str, Any], ...] = (self.strings, self.hashes, self.streams)
        return sum(place.pop(key, None) is not None for place in places) > 0

    def append(self, key: str, fields: dict[bytes, bytes]) -> None:
        """Put an entry at the end of a stream, under an id greater than all before it."""
        self._appended += 1
        stream = self.streams.setdefault(key, [])
        stream.append((f"{self._appended}-0", fields))
        del stream[:-CHANGES_KEPT]

    def vouch_of(self, generation_id: str) -> bytes:
        """Return the value of a vouch's key in this run."""
        return f"{generation_id}:{self.run_id}".encode()

    def now_ms(self) -> int:
        """Return the time by the memory's own clock, in milliseconds; Redis has it as TIME."""
        return int(self._clock() * 1000)


class MemoryStandingCache:
    """`StandingCache` over a `MemoryStore`."""

    def __init__(
        self,
        memory: MemoryStore,
        *,
        token_keys: TokenKeys,
        namespace: str = "checker",
        segment_blocks: int = SEGMENT_BLOCKS,
    ) -> None:
        self._shared = memory
        self._token_keys = token_keys
        self._keys = Keys(namespace)
        self._segment_blocks = segment_blocks
        self._closed = False

    async def lookup(self, tokens: Sequence[Token]) -> Lookup:
        """See `StandingCache.lookup`."""
        refuse_misshapen(tokens)
        memory = self._reach()
        generation, key = servable(memory.string(self._keys.pointer), self._token_keys)
        head = decode_head(memory.string(self._keys.head(generation.id)))
        if head.partial:
            raise CacheUnvouched("a change is half in, so the list is at no version")
        if memory.string(self._keys.vouched) != memory.vouch_of(generation.id):
            raise CacheUnvouched("the live generation is not vouched for")
        return Lookup(
            generation=generation,
            position=head.position,
            values=tuple([self._field(generation, each) for each in key.each_stored(tokens)]),
        )

    async def current(self) -> Generation | None:
        """See `StandingCache.current`."""
        raw = self._reach().strings.get(self._keys.pointer)
        return None if raw is None else decode_pointer(raw)

    async def build(
        self,
        *,
        position: Position,
        token_key: str,
        count: int,
        entries: Entries,
    ) -> Generation:
        """See `StandingCache.build`."""
        key = key_of_entries(token_key, self._token_keys)
        memory = self._reach()
        generation = Generation.plan(
            position=position,
            token_key=token_key,
            entries=count,
            segment_blocks=self._segment_blocks,
        )
        marker = self._keys.marker(generation.id)
        memory.strings[marker] = b""
        memory.expire(marker, BUILD_MARKER_TTL_S)
        head = self._keys.head(generation.id)
        memory.strings[head] = encode_head(generation.first_head())
        bits = 0
        try:
            async with aclosing(lay_out(entries, generation, key.checksum_key)) as stretches:
                async for pieces in stretches:
                    bits += sum(self._write(generation, piece) for piece in pieces)
            self._verify(generation, bits)
        except BaseException:
            for name in self._keys_of(generation.id):
                memory.remove(name)
            raise
        return generation

    async def switch(self, generation: Generation) -> None:
        """See `StandingCache.switch`."""
        memory = self._reach()
        pointer, live = encode_pointer(generation), memory.string(self._keys.pointer)
        if pointer == live:
            return
        own = memory.head(self._keys.head(generation.id))
        if own is None or self._keys.marker(generation.id) not in memory.names():
            raise BuildRejected("the build is too long ago, a sweep may have begun on it")
        newest = self._live_head()
        if newest is not None and newest.version > own.version:
            raise BuildRejected("the build is older than the live list")
        memory.strings[self._keys.pointer] = pointer
        memory.remove(self._keys.marker(generation.id))
        memory.remove(self._keys.rebuild)

    async def give_up(self, generation: Generation) -> None:
        """See `StandingCache.give_up`."""
        self._reach().remove(self._keys.marker(generation.id))

    async def withdraw(self) -> None:
        """See `StandingCache.withdraw`."""
        memory = self._reach()
        memory.remove(self._keys.pointer)
        memory.remove(self._keys.vouched)

    async def request_rebuild(self, generation_id: str) -> None:
        """See `StandingCache.request_rebuild`."""
        self._reach().strings[self._keys.rebuild] = generation_id.encode()

    async def sweep(self) -> int:
        """See `StandingCache.sweep`."""
        live = await self.current()
        memory = self._reach()
        names = memory.names()
        dead = [
            key
            for key in names
            if (owner := self._keys.generation_of(key)) is not None
            and (live is None or owner != live.id)
            and self._keys.marker(owner) not in names
        ]
        return sum(memory.remove(key) for key in dead)

    async def verify_policy(self) -> None:
        """See `StandingCache.verify_policy`."""
        refuse_evicting(self._reach().policy)

    async def ping(self) -> None:
        """See `StandingCache.ping`."""
        self._reach()

    async def aclose(self) -> None:
        """See `StandingCache.aclose`."""
        self._closed = True

    def _reach(self) -> MemoryStore:
        if self._closed or not self._shared.reachable:
            raise CacheUnavailable("the memory cannot be reached")
        return self._shared

    def _live_head(self) -> Head | None:
        pointer = self._shared.string(self._keys.pointer)
        try:
            live = None if pointer is None else decode_pointer(pointer)
        except CacheIncomplete:
            return None
        return None if live is None else self._shared.head(self._keys.head(live.id))

    def _field(self, generation: Generation, token: StoredToken) -> bytes | None:
        bucket = self._keys.bucket(generation.id, generation.bucket_of(token))
        fields = self._shared.hashes.get(bucket, {})
        if SENTINEL not in fields:
            raise CacheIncomplete("a bucket or its sentinel is missing")
        return fields.get(token)

    def _write(self, generation: Generation, piece: Piece) -> int:
        """Keep a piece; return how many filter bits it brings."""
        memory = self._reach()
        self._renew_marker(generation)
        match piece:
            case Bucket():
                key = self._keys.bucket(generation.id, piece.index)
                memory.hashes[key] = piece.fields
                return 0
            case Segment():
                memory.strings[self._keys.segment(generation.id, piece.index)] = piece.data
                return piece.bits
            case ChecksumRecords():
                memory.hashes[self._keys.sums(generation.id)] = piece.fields
                return 0
            case _:
                assert_never(piece)

    def _verify(self, generation: Generation, bits: int) -> None:
        memory = self._reach()
        self._renew_marker(generation)
        if memory.head(self._keys.head(generation.id)) != generation.first_head():
            raise BuildRejected("the head is not held")
        buckets = [self._keys.bucket(generation.id, index) for index in range(generation.buckets)]
        records = memory.hashes.get(self._keys.sums(generation.id), {})
        if len(records) != len(record_fields(generation)) + 1:
            raise BuildRejected("the checksums are not held")
        fields = sum(len(memory.hashes.get(key, {})) for key in buckets)
        filter_bytes = b"".join(
            memory.strings.get(self._keys.segment(generation.id, index), b"")
            for index in range(generation.segments)
        )
        if (fields, len(filter_bytes), int.from_bytes(filter_bytes).bit_count()) != (
            generation.entries + generation.buckets,
            generation.blocks * BLOCK_BYTES,
            bits,
        ):
            raise BuildRejected("what is held is not what came in")

    def _renew_marker(self, generation: Generation) -> None:
        marker = self._keys.marker(generation.id)
        if marker not in self._shared.names():
            raise BuildRejected("the build's marker ran out or was lost")
        self._shared.expire(marker, BUILD_MARKER_TTL_S)

    def _keys_of(self, generation_id: str) -> list[str]:
        names = self._shared.names()
        return [key for key in names if self._keys.generation_of(key) == generation_id]
