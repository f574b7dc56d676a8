"""Computes the checksums that a slice of a change leads to, from the parts that it touches. Pure.

A bucket is verified before it is changed, because a new checksum would hide a change by hand. A
page cannot be verified alone. If a page was changed by hand, its segment's record fits neither
before the slice nor after it, because the record takes up only the difference that the slice makes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from cache.changes import Head, Position
from cache.checksum import (
    PAGE_BYTES,
    SEAL_FIELD,
    Checksums,
    decode_sum,
    encode_sum,
    moved,
    segment_field,
    shelf_field,
    shelf_of,
)
from cache.errors import CacheIncomplete
from cache.filter import BLOCK_BYTES, block_mask
from cache.generation import Generation
from cache.layout import SENTINEL
from cache.list_writer import ChangeSlice
from cache.parts import Fields, HeldParts, page_bytes
from cache.token import StoredToken

_Outlines = defaultdict[int, list[tuple[StoredToken, bytes | None]]]
_Tokens = defaultdict[tuple[int, int], list[tuple[StoredToken, int]]]


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """The checksums to write with a slice: sentinels by bucket, records and their seal by field.

    `seal_before` must still be there when it is written.
    """

    seal_before: bytes
    sentinels: Mapping[int, bytes]
    records: Mapping[bytes, bytes]


def amend(
    checksums: Checksums,
    generation: Generation,
    part: ChangeSlice,
    held: HeldParts,
    reached: Position,
) -> Amendment:
    """Return the checksums after a slice, which leads the head to `reached`.

    Raises CacheIncomplete if a part is missing or cut short, or does not match its checksum.
    """
    assert held.head is not None, "the caller has looked where the generation stands"
    sealed = held.records.get(SEAL_FIELD)
    total = checksums.opened(sealed, held.head)
    assert sealed is not None
    outlines, tokens = _by_place(part, generation)
    sentinels = {}
    steps: list[tuple[bytes, int, int]] = []  # field of the record, old and new checksum of a part
    for index, fields in held.buckets.items():
        before, after = _bucket(checksums, index, fields, outlines[index])
        sentinels[index] = after
        steps.append((shelf_field(shelf_of(index)), decode_sum(before), decode_sum(after)))
    for (segment, number), data in held.pages.items():
        if len(data) != page_bytes(generation, segment, number):
            raise CacheIncomplete("a filter segment is missing or cut short")
        page = _page(data, tokens[segment, number])
        old, new = (checksums.page(segment, number, each) for each in (data, page))
        steps.append((segment_field(segment), old, new))
    records: dict[bytes, int] = {}
    for field, old, new in steps:
        record = records[field] if field in records else decode_sum(held.records.get(field))
        records[field] = moved(record, old, new)
        total = moved(total, old, new)
    seal = checksums.seal(total, Head.at(reached, partial=part.after)).encode()
    return Amendment(
        seal_before=sealed,
        sentinels=sentinels,
        records={field: encode_sum(record) for field, record in records.items()}
        | {SEAL_FIELD: seal},
    )


def _by_place(part: ChangeSlice, generation: Generation) -> tuple[_Outlines, _Tokens]:
    """Return the outlines of each bucket, and of each page the tokens with their block's place."""
    outlines: _Outlines = defaultdict(list)
    tokens: _Tokens = defaultdict(list)
    for token, value in part.outlines:
        outlines[generation.bucket_of(token)].append((token, value))
        if value is not None:
            segment, start = generation.block_of(token)
            tokens[segment, start // PAGE_BYTES].append((token, start % PAGE_BYTES))
    return outlines, tokens


def _bucket(
    checksums: Checksums,
    index: int,
    fields: Fields,
    outlines: Iterable[tuple[StoredToken, bytes | None]],
) -> tuple[bytes, bytes]:
    """Return a bucket's checksum before a slice and after it."""
    before = fields.get(SENTINEL)
    if before is None:
        raise CacheIncomplete("a bucket or its sentinel is missing or cut short")
    if checksums.held_bucket(index, fields, SENTINEL) != before:
        raise CacheIncomplete("a bucket does not match its checksum")
    changed: dict[bytes, bytes] = dict(fields)
    for token, value in outlines:
        if value is None:
            changed.pop(token, None)
        else:
            changed[token] = value
    return before, checksums.held_bucket(index, changed, SENTINEL)


def _page(data: bytes, tokens: Iterable[tuple[StoredToken, int]]) -> bytearray:
    """Return a page with the bits of these tokens, whose blocks begin at these bytes."""
    page = bytearray(data)
    for token, start in tokens:
        block = slice(start, start + BLOCK_BYTES)
        bits = int.from_bytes(page[block]) | block_mask(token)
        page[block] = bits.to_bytes(BLOCK_BYTES)
    return page
