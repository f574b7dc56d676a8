"""Builds a generation on Redis, makes it the live one, and sweeps dead ones.

A generation is marked while it is built, then live, then dead, and never goes back. `build` alone
makes a marker, `switch` turns the marker into the pointer in one step, and a marker left alone
expires. So a generation with neither marker nor pointer stays dead, and `sweep` needs no lock if it
reads the marker first.

Writing has its own connection with a long time-out. `cache.redis_lookup` reads.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import aclosing, suppress
from importlib.resources import files
from itertools import islice
from typing import TypeVar, assert_never

from cache.changes import Position, encode_head
from cache.checksum import record_fields
from cache.errors import BuildRejected, CacheIncomplete, CacheUnavailable
from cache.filter import BLOCK_BYTES
from cache.generation import Generation, decode_pointer, encode_pointer
from cache.keys import Keys
from cache.layout import Bucket, ChecksumRecords, Entries, Piece, Segment, key_of_entries, lay_out
from cache.redis_pipe import Command, CommandRefused, Pipe, Reply
from cache.replies import reads_replies
from cache.store import BUILD_MARKER_TTL_S
from cache.token_key import TokenKey, TokenKeys

_Item = TypeVar("_Item")

_SWITCH = files("cache").joinpath("switch.lua").read_text(encoding="utf-8")

# Short commands in one pipeline, and keys in one UNLINK: Redis serves others in between.
_SLICE = 1_000

_SWITCH_ATTEMPTS_MAX = 3


class RedisBuild:
    """The writing half of the store."""

    def __init__(
        self, pipe: Pipe, keys: Keys, *, token_keys: TokenKeys, segment_blocks: int
    ) -> None:
        self._pipe = pipe
        self._keys = keys
        self._token_keys = token_keys
        self._segment_blocks = segment_blocks

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
        generation = Generation.plan(
            position=position,
            token_key=token_key,
            entries=count,
            segment_blocks=self._segment_blocks,
        )
        try:
            bits = await self._write(generation, entries, key)
            await self._verify(generation, bits)
        except BaseException as error:
            # Best effort: keys that stay lose their marker in minutes, and are swept.
            with suppress(CacheUnavailable):
                await self._remove(generation)
            if isinstance(error, CommandRefused):
                raise BuildRejected(str(error)) from error
            raise
        return generation

    @reads_replies
    async def switch(self, generation: Generation) -> None:
        """See `StandingCache.switch`."""
        pointer, marker = self._keys.pointer, self._keys.marker(generation.id)
        head = self._keys.head(generation.id)
        wanted = encode_pointer(generation)
        for _ in range(_SWITCH_ATTEMPTS_MAX):
            [live] = await self._pipe.ask([("GET", pointer)])
            if live == wanted:
                return
            keys = (pointer, marker, head, self._head_of(live) or head, self._keys.rebuild)
            [outcome] = await self._pipe.ask([("EVAL", _SWITCH, 5, *keys, live or b"", wanted)])
            if outcome == 1:
                return
            if outcome == -1:
                raise BuildRejected("the build is too long ago, a sweep may have begun on it")
            if outcome == -2:
                raise BuildRejected("the build is older than the live list")
        raise BuildRejected("others kept switching at the same time")

    @reads_replies
    async def sweep(self) -> int:
        """See `StandingCache.sweep`."""
        removed = 0
        dead: dict[str, bool] = {}
        cursor = b"0"
        while True:
            [[cursor, names]] = await self._pipe.ask(
                [("SCAN", cursor, "MATCH", self._keys.any_generation, "COUNT", _SLICE)]
            )
            condemned: list[str] = []
            for name in map(bytes.decode, names):
                owner = self._keys.generation_of(name)
                if owner is None:
                    continue
                if owner not in dead:
                    dead[owner] = await self._is_dead(owner)
                if dead[owner]:
                    condemned.append(name)
            if condemned:
                removed += sum(await self._pipe.ask([("UNLINK", *condemned)]))
            if cursor == b"0":
                return removed

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()

    async def _is_dead(self, generation_id: str) -> bool:
        # In this order: between the reads a marked generation can become live, never the reverse.
        marked, live = await self._pipe.ask(
            [("EXISTS", self._keys.marker(generation_id)), ("GET", self._keys.pointer)]
        )
        return not marked and (live is None or decode_pointer(live).id != generation_id)

    def _head_of(self, pointer: bytes | None) -> str | None:
        """Name the head of the generation that a pointer names; None if it names none."""
        try:
            return None if pointer is None else self._keys.head(decode_pointer(pointer).id)
        except CacheIncomplete:
            return None

    async def _write(self, generation: Generation, entries: Entries, key: TokenKey) -> int:
        """Write head and all pieces; return how many bits the filter has set."""
        marker = self._keys.marker(generation.id)
        await self._pipe.ask(
            [
                ("SET", marker, b"", "EX", BUILD_MARKER_TTL_S),
                ("SET", self._keys.head(generation.id), encode_head(generation.first_head())),
            ]
        )
        bits = 0
        writing: asyncio.Task[list[Reply]] | None = None
        try:
            async with aclosing(lay_out(entries, generation, key.checksum_key)) as stretches:
                async for pieces in stretches:
                    commands = [self._command(generation, piece) for piece in pieces]
                    bits += sum(piece.bits for piece in pieces if isinstance(piece, Segment))
                    if writing is not None:
                        await writing
                    # Redis writes this stretch while the next one is read and laid out.
                    writing = asyncio.create_task(self._ask_while_marked(generation, commands))
                    await asyncio.sleep(0)
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
        return bits

    def _command(self, generation: Generation, piece: Piece) -> Command:
        match piece:
            case Bucket():
                return ("HSET", self._keys.bucket(generation.id, piece.index), *piece.pairs)
            case Segment():
                return ("SET", self._keys.segment(generation.id, piece.index), piece.data)
            case ChecksumRecords():
                fields = (part for field in piece.fields.items() for part in field)
                return ("HSET", self._keys.sums(generation.id), *fields)
            case _:
                assert_never(piece)

    @reads_replies
    async def _ask_while_marked(
        self, generation: Generation, commands: Iterable[Command]
    ) -> list[Reply]:
        """Return the commands' replies; raise BuildRejected if the build's marker is gone."""
        renewal = ("EXPIRE", self._keys.marker(generation.id), BUILD_MARKER_TTL_S)
        marked, *replies = await self._pipe.ask([renewal, *commands])
        if not marked:
            raise BuildRejected("the build's marker ran out or was lost")
        return replies

    @reads_replies
    async def _verify(self, generation: Generation, bits: int) -> None:
        """Raise BuildRejected unless Redis holds head, entries and bits as they came in."""
        [head] = await self._ask_while_marked(generation, [("GET", self._keys.head(generation.id))])
        if head != encode_head(generation.first_head()):
            raise BuildRejected("the head is not held")
        sums = self._keys.sums(generation.id)
        [records] = await self._ask_while_marked(generation, [("HLEN", sums)])
        if records != len(record_fields(generation)) + 1:
            raise BuildRejected("the checksums are not held")
        buckets = (
            ("HLEN", self._keys.bucket(generation.id, index)) for index in range(generation.buckets)
        )
        fields = await self._sum(generation, buckets)
        if fields - generation.buckets != generation.entries:
            raise BuildRejected(
                f"of {generation.entries} entries {fields - generation.buckets} are held"
            )
        segments = [
            self._keys.segment(generation.id, index) for index in range(generation.segments)
        ]
        length = await self._sum(generation, (("STRLEN", key) for key in segments))
        expected = generation.blocks * BLOCK_BYTES
        held = await self._sum(generation, (("BITCOUNT", key) for key in segments))
        if (length, held) != (expected, bits):
            raise BuildRejected(
                f"of {expected} filter bytes with {bits} bits {length} with {held} are held"
            )

    async def _sum(self, generation: Generation, commands: Iterator[Command]) -> int:
        return sum(
            [sum(await self._ask_while_marked(generation, part)) for part in _slices(commands)]
        )

    async def _remove(self, generation: Generation) -> None:
        marker = self._keys.marker(generation.id)
        buckets = (self._keys.bucket(generation.id, index) for index in range(generation.buckets))
        segments = (
            self._keys.segment(generation.id, index) for index in range(generation.segments)
        )
        head = self._keys.head(generation.id)
        sums = self._keys.sums(generation.id)
        for keys in _slices(iter((marker, head, sums, *segments, *buckets))):
            await self._pipe.ask([("UNLINK", *keys)])


def _slices(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    while part := list(islice(items, _SLICE)):
        yield part
