"""Verifies a generation against its checksums: all of it, or part by part.

A walk reads every record, every segment and every shelf once, slowly: Redis is busy with it for
about 1 ms in 100. One million persons take 35 s so, ten million 6 minutes. Changes may come in
meanwhile: each read is of one instant, so a part and its record are of the same change.

The text of CacheIncomplete goes into a log. It names the kind of part that failed, and no content.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from cache.changes import Head
from cache.checksum import (
    SEAL_FIELD,
    Checksums,
    decode_sum,
    record_fields,
    shelves,
    total_of,
)
from cache.errors import CacheIncomplete
from cache.filter import BLOCK_BYTES
from cache.generation import Generation, key_of
from cache.layout import SENTINEL
from cache.parts import Parts, Records, SegmentHeld, Shelf
from cache.token_key import TokenKey, TokenKeys

PAUSE_S = 0.1
"""Between two reads of a walk. Each takes Redis some 1 ms: 1 % of its time."""

PAUSE_SHARE = 20
"""The pause after a slow read, in times of the read: a slow read means that Redis is busy."""

Sleep = Callable[[float], Awaitable[None]]


def verify_records(checksums: Checksums, generation: Generation, held: Records) -> Head:
    """Verify the records as a whole, and that they belong to the head; return the head.

    Raises CacheIncomplete if a record is missing or another one, or the seal does not fit.
    """
    total = checksums.opened(held.fields.get(SEAL_FIELD), held.head)
    fields = record_fields(generation)
    if len(held.fields) != len(fields) + 1:
        raise CacheIncomplete("the records of the checksums are too few or too many")
    if total_of(decode_sum(held.fields.get(field)) for field in fields) != total:
        raise CacheIncomplete("the records of the checksums do not match their total")
    return held.head


def verify_segment(checksums: Checksums, index: int, held: SegmentHeld) -> bytes:
    """Return a segment's bytes; raise CacheIncomplete if they do not match their record."""
    if checksums.segment(index, held.data) != decode_sum(held.record):
        raise CacheIncomplete("a filter segment does not match its checksum")
    return held.data


async def verified_bits(parts: Parts, generation: Generation, key: TokenKey) -> bytearray:
    """Return all blocks of a generation with this key, each segment verified before it counts.

    The loop runs other work after each segment. Raises CacheIncomplete if a segment or a record is
    lost or does not match: nobody may answer from these bits.
    """
    checksums = Checksums(key.checksum_key, generation.id)
    verify_records(checksums, generation, await parts.records(generation))
    bits = bytearray(generation.blocks * BLOCK_BYTES)
    at = 0
    for index in range(generation.segments):
        data = verify_segment(checksums, index, await parts.segment(generation, index))
        bits[at : at + len(data)] = data
        at += len(data)
        await asyncio.sleep(0)
    assert at == len(bits)
    return bits


def verify_shelf(checksums: Checksums, held: Shelf) -> None:
    """Raise CacheIncomplete unless all buckets match their sentinels, and these the record."""
    sentinels = []
    for index, fields in held.buckets.items():
        sentinel = fields.get(SENTINEL)
        if sentinel is None:
            raise CacheIncomplete("a bucket or its sentinel is missing")
        if checksums.held_bucket(index, fields, SENTINEL) != sentinel:
            raise CacheIncomplete("a bucket does not match its checksum")
        sentinels.append(decode_sum(sentinel))
    if total_of(sentinels) != decode_sum(held.record):
        raise CacheIncomplete("a bucket is not the newest of its place")


class Walk:
    """Walks over generations, as slowly as `pause_s` says."""

    def __init__(
        self,
        parts: Parts,
        *,
        token_keys: TokenKeys,
        pause_s: float = PAUSE_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._parts = parts
        self._token_keys = token_keys
        self._pause_s = pause_s
        self._sleep = sleep

    async def over(self, generation: Generation) -> None:
        """Verify all of a generation.

        Raises CacheIncomplete at the first part that fails, or if the generation's key is not held.
        """
        key = key_of(generation, self._token_keys)
        checksums = Checksums(key.checksum_key, generation.id)
        verify_records(checksums, generation, await self._parts.records(generation))
        for index in range(generation.segments):
            began_at = time.monotonic()
            verify_segment(checksums, index, await self._parts.segment(generation, index))
            await self._rest(began_at)
        for index in range(shelves(generation)):
            began_at = time.monotonic()
            verify_shelf(checksums, await self._parts.shelf(generation, index))
            await self._rest(began_at)

    async def _rest(self, began_at: float) -> None:
        took_s = time.monotonic() - began_at
        await self._sleep(max(self._pause_s, PAUSE_SHARE * took_s))
