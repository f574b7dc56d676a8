"""The store in memory: the specification of `StandingCache`, and the one for other tests.

It keeps what Redis would keep, under the same key names, so that a test can lose or cut a key in
either store and both must say the same. Knows no Redis.
"""

import time
from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import aclosing
from typing import assert_never

from cache.errors import BuildRejected, CacheIncomplete, CacheUnavailable
from cache.eviction import refuse_evicting
from cache.filter import BLOCK_BYTES, may_contain
from cache.generation import (
    SEGMENT_BLOCKS,
    Generation,
    decode_pointer,
    encode_pointer,
    refuse_older,
    servable,
)
from cache.keys import Keys
from cache.layout import SENTINEL, Bucket, Segment, lay_out, refuse_foreign
from cache.store import BUILD_MARKER_TTL_S, Lookup, refuse_misshapen
from cache.token import Token


class Memory:
    """What a Redis is to the other store: several stores may share it, and a test may damage it.

    `policy` and `reachable` stand for its eviction policy and for the way to it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.strings: dict[str, bytes] = {}
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self.policy = "noeviction"
        self.reachable = True
        self._deadlines: dict[str, float] = {}
        self._clock = clock

    def names(self) -> set[str]:
        """Return the names of all keys that have not expired."""
        for key in [key for key, at in self._deadlines.items() if at <= self._clock()]:
            self.remove(key)
        return {*self.strings, *self.hashes}

    def expire(self, key: str, ttl_s: float) -> None:
        """Let a key end by itself `ttl_s` seconds from now."""
        self._deadlines[key] = self._clock() + ttl_s

    def remove(self, key: str) -> bool:
        """Remove a key; return whether it was there."""
        self._deadlines.pop(key, None)
        string = self.strings.pop(key, None)
        return self.hashes.pop(key, None) is not None or string is not None


class MemoryStandingCache:
    """`StandingCache` over a `Memory`."""

    def __init__(
        self,
        memory: Memory,
        *,
        token_key: str,
        namespace: str = "checker",
        segment_blocks: int = SEGMENT_BLOCKS,
    ) -> None:
        self._shared = memory
        self._token_key = token_key
        self._keys = Keys(namespace)
        self._segment_blocks = segment_blocks
        self._closed = False

    async def lookup(self, tokens: Sequence[Token]) -> Lookup:
        """See `StandingCache.lookup`."""
        refuse_misshapen(tokens)
        memory = self._reach()
        generation = servable(memory.strings.get(self._keys.pointer), self._token_key)
        maybes = [self._filter_says_maybe(generation, token) for token in tokens]
        return Lookup(
            generation=generation,
            values=tuple(
                self._field(generation, token) if maybe else None
                for token, maybe in zip(tokens, maybes, strict=True)
            ),
            maybes=sum(maybes),
        )

    async def current(self) -> Generation | None:
        """See `StandingCache.current`."""
        raw = self._reach().strings.get(self._keys.pointer)
        return None if raw is None else decode_pointer(raw)

    async def build(
        self,
        *,
        version: int,
        as_of_ms: int,
        token_key: str,
        count: int,
        entries: AsyncIterable[tuple[Token, bytes]],
    ) -> Generation:
        """See `StandingCache.build`."""
        refuse_foreign(token_key, self._token_key)
        memory = self._reach()
        generation = Generation.plan(
            version=version,
            as_of_ms=as_of_ms,
            token_key=token_key,
            entries=count,
            segment_blocks=self._segment_blocks,
        )
        marker = self._keys.marker(generation.id)
        memory.strings[marker] = b""
        memory.expire(marker, BUILD_MARKER_TTL_S)
        bits = 0
        try:
            async with aclosing(lay_out(entries, generation)) as pieces:
                async for piece in pieces:
                    bits += self._write(generation, piece)
            self._verify(generation, bits)
        except BaseException:
            for key in self._keys_of(generation.id):
                memory.remove(key)
            raise
        return generation

    async def switch(self, generation: Generation) -> None:
        """See `StandingCache.switch`."""
        memory = self._reach()
        pointer, live = encode_pointer(generation), memory.strings.get(self._keys.pointer)
        if pointer == live:
            return
        refuse_older(generation, live)
        if self._keys.marker(generation.id) not in memory.names():
            raise BuildRejected("the build is too long ago, a sweep may have begun on it")
        memory.strings[self._keys.pointer] = pointer
        memory.remove(self._keys.marker(generation.id))

    async def withdraw(self) -> None:
        """See `StandingCache.withdraw`."""
        self._reach().strings.pop(self._keys.pointer, None)

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

    def _reach(self) -> Memory:
        if self._closed or not self._shared.reachable:
            raise CacheUnavailable("the memory cannot be reached")
        return self._shared

    def _filter_says_maybe(self, generation: Generation, token: Token) -> bool:
        segment, start = generation.block_of(token)
        data = self._shared.strings.get(self._keys.segment(generation.id, segment), b"")
        block = data[start : start + BLOCK_BYTES]
        if len(block) < BLOCK_BYTES:
            raise CacheIncomplete("a filter segment is missing or cut short")
        return may_contain(block, token)

    def _field(self, generation: Generation, token: Token) -> bytes | None:
        bucket = self._keys.bucket(generation.id, generation.bucket_of(token))
        fields = self._shared.hashes.get(bucket, {})
        if SENTINEL not in fields:
            raise CacheIncomplete("a bucket or its sentinel is missing")
        return fields.get(token)

    def _write(self, generation: Generation, piece: Bucket | Segment) -> int:
        """Keep a piece; return how many filter bits it brings."""
        memory = self._reach()
        self._renew_marker(generation)
        match piece:
            case Bucket():
                key = self._keys.bucket(generation.id, piece.index)
                memory.hashes[key] = dict(piece.fields)
                return 0
            case Segment():
                memory.strings[self._keys.segment(generation.id, piece.index)] = piece.data
                return piece.bits
            case _:
                assert_never(piece)

    def _verify(self, generation: Generation, bits: int) -> None:
        memory = self._reach()
        self._renew_marker(generation)
        keys = self._keys_of(generation.id)
        fields = sum(len(memory.hashes.get(key, {})) for key in keys)
        filter_bytes = b"".join(memory.strings.get(key, b"") for key in keys)
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
