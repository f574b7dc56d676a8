"""Reading the parts of a generation with their records, each call of one instant.

The publisher reads what a change touches, a replica loads all segments, and the background reader
walks over everything. Two classes keep the interface: `cache.redis_parts` on Redis and
`cache.memory_parts` in memory. `cache.amendment` judges parts before a change, and
`cache.verification` at any time. This file knows no store.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from cache.changes import Head
from cache.checksum import PAGE_BYTES, SEAL_FIELD, segment_field, shelf_field, shelf_of
from cache.generation import Generation
from cache.list_writer import ChangeSlice

Fields = Mapping[bytes, bytes]


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that a slice of a change touches: buckets, pages as (segment, number), records."""

    buckets: tuple[int, ...]
    pages: tuple[tuple[int, int], ...]
    fields: tuple[bytes, ...]


class HeldParts(msgspec.Struct, frozen=True, kw_only=True):
    """The touched parts as a store holds them, by their places; a lost part is empty or None.

    `is_live`: the pointer names the generation. `is_marked`: the generation has a build marker.
    `head` is None if it cannot be read.
    """

    is_live: bool
    is_marked: bool
    head: Head | None
    records: Mapping[bytes, bytes | None]
    buckets: Mapping[int, Fields]
    pages: Mapping[tuple[int, int], bytes]


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """All records of a generation with their seal, by field, and its head."""

    head: Head
    fields: Fields


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """A shelf's record, and its buckets by index."""

    record: bytes | None
    buckets: Mapping[int, Fields]


class SegmentHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's record and its bytes."""

    record: bytes | None
    data: bytes


class Parts(Protocol):
    """Any call may raise CacheUnavailable, or CacheIncomplete if a key is of another type."""

    async def held(self, generation: Generation, touched: Touched) -> HeldParts:
        """Return the parts that a slice of a change touches."""
        ...

    async def records(self, generation: Generation) -> Records:
        """Return all records; raises CacheIncomplete if the head is lost."""
        ...

    async def shelf(self, generation: Generation, index: int) -> Shelf:
        """Return a shelf."""
        ...

    async def segment(self, generation: Generation, index: int) -> SegmentHeld:
        """Return a segment; raises CacheIncomplete if it is lost or has another length."""
        ...


def touched_by(part: ChangeSlice, generation: Generation) -> Touched:
    """Return the parts that a slice of a change touches in a generation."""
    buckets = sorted({generation.bucket_of(token) for token, _ in part.outlines})
    pages = set()
    for token, value in part.outlines:
        if value is not None:
            segment, start = generation.block_of(token)
            pages.add((segment, start // PAGE_BYTES))
    fields = {
        *(shelf_field(shelf_of(bucket)) for bucket in buckets),
        *(segment_field(segment) for segment, _ in pages),
    }
    return Touched(
        buckets=tuple(buckets),
        pages=tuple(sorted(pages)),
        fields=(SEAL_FIELD, *sorted(fields)),
    )


def page_bytes(generation: Generation, segment: int, number: int) -> int:
    """Return the length of a page: all of a segment are full but the last."""
    return min(PAGE_BYTES, generation.segment_bytes(segment) - number * PAGE_BYTES)
