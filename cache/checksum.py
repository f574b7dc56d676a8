"""Keyed checksums of all parts of a generation, so that a part changed by hand or fault is noticed.

The key is a secret of the deployment. Each generation has a key of its own, derived from the
secret, so no part of one generation passes in another. Without the key nobody can make a part pass.

    bucket      BLAKE2b-128 over its index and its fields in token order; the sentinel's value
    page        BLAKE2b-128 over segment, number and bytes of 16 neighbouring blocks; kept nowhere
    shelf       64 neighbouring buckets; its record is the sum of their checksums
    segment     its record is the sum of its pages' checksums
    seal        BLAKE2b-128 over the total of all records, and the head they belong to

All sums are modulo 2^128 (Bellare and Micciancio, A New Paradigm for Collision-free Hashing, 1997).
A sum is brought forward from the old and the new value of one bucket or page, so a change reads
only what it touches. Pages of 16 blocks, because hashing a segment then takes 0.8 ms; with a page
for each block it takes 4 ms, and with one for the whole segment a change reads 256 KiB.

Records and seal lie in one hash of the generation (`Keys.sums`), 16 bytes a field:

    f<segment>, b<shelf>    a record, big-endian
    !                       the total of all records, and behind it the seal: 32 bytes

An older copy of a bucket has a sentinel that fits, but the shelf's record does not fit. With an
older record, the total does not fit. With an older total, the seal names another head. If all of
them are older, the whole list was set back, and its head shows that.

This file knows no store.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from struct import Struct
from typing import TypeAlias

import msgspec

from cache.changes import Head
from cache.errors import CacheIncomplete
from cache.filter import BLOCK_BYTES
from cache.generation import Generation
from cache.token import TOKEN_BYTES

CHECKSUM_BYTES = 16
KEY_BYTES_MIN = 16

PAGE_BLOCKS = 16
PAGE_BYTES = PAGE_BLOCKS * BLOCK_BYTES

# A hash stays a listpack only while all its values have at most 64 bytes (Redis's default).
VALUE_BYTES_MAX = 64

SHELF_BUCKETS = 64
"""One read of a shelf takes some 180 KB and 1 ms of Redis's time."""

SEAL_FIELD = b"!"

_MODULUS = 1 << (8 * CHECKSUM_BYTES)
_BUCKET, _PAGE, _SEAL = b"bucket", b"page", b"seal"

_Bytes: TypeAlias = bytes | bytearray | memoryview

# BLAKE2b's salt: where a part stands, so that no part is taken for its neighbour.
_place = Struct(">QQ").pack


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """The total of all records, and the seal over it and a head."""

    total: int
    seal: bytes

    def encode(self) -> bytes:
        """Return the value of the seal's field."""
        return encode_sum(self.total) + self.seal


class Checksums:
    """The checksums of one generation."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes, generation_id: str) -> None:
        """`key` is the secret of the deployment: opaque bytes, 16 at least."""
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"a checksum key has {KEY_BYTES_MIN} bytes or more")
        self._key = blake2b(generation_id.encode(), digest_size=32, key=key).digest()

    def bucket(self, index: int, tokens: Sequence[bytes], values: Sequence[bytes]) -> bytes:
        """Return the checksum of a bucket; `tokens` ascend, and `values` stand in their order."""
        # Count and lengths first: two contents never give the same bytes.
        content = b"".join(
            (len(tokens).to_bytes(4), bytes(map(len, values)), *tokens, *values),
        )
        return self._digest(_BUCKET, content, 0, index)

    def held_bucket(self, index: int, fields: Mapping[bytes, bytes], sentinel: bytes) -> bytes:
        """Return the checksum of a bucket as a store holds it; `sentinel` is the field to skip."""
        tokens = sorted(fields)
        if sentinel in fields:
            tokens.remove(sentinel)
        values = [fields[token] for token in tokens]
        # Or bytes could move from one field to the next, and the content would be the same.
        if set(map(len, tokens)) - {TOKEN_BYTES}:
            raise CacheIncomplete("a bucket holds a field that is no token")
        if max(map(len, values), default=0) > VALUE_BYTES_MAX:
            raise CacheIncomplete("a bucket holds a value that is too long")
        return self.bucket(index, tokens, values)

    def page(self, segment: int, number: int, data: _Bytes) -> int:
        """Return the checksum of a page."""
        return decode_sum(self._digest(_PAGE, data, segment, number))

    def segment(self, index: int, data: bytes) -> int:
        """Return the record of a segment: 0.8 ms for one of 256 KiB."""
        view = memoryview(data)
        pages = range(0, len(data), PAGE_BYTES)
        return total_of(
            self.page(index, number, view[start : start + PAGE_BYTES])
            for number, start in enumerate(pages)
        )

    def seal(self, total: int, head: Head) -> Sealed:
        """Bind the total of all records to the head of the generation that has them."""
        stands = f"{head.version}:{head.change_id}:{head.partial}:"
        content = stands.encode() + encode_sum(total)
        return Sealed(total=total, seal=self._digest(_SEAL, content, 0, 0))

    def opened(self, raw: bytes | None, head: Head) -> int:
        """Return the total that the seal's field holds; raise CacheIncomplete if it does not fit.

        The field is missing, or its total is not the one that was sealed for this head.
        """
        total = decode_sum(None if raw is None else raw[:CHECKSUM_BYTES])
        if self.seal(total, head).encode() != raw:
            raise CacheIncomplete("the checksums do not match their seal")
        return total

    def _digest(self, kind: bytes, content: _Bytes, high: int, low: int) -> bytes:
        return blake2b(
            content,
            digest_size=CHECKSUM_BYTES,
            key=self._key,
            person=kind,
            salt=_place(high, low),
        ).digest()


def total_of(sums: Iterable[int]) -> int:
    """Add checksums or records."""
    return sum(sums) % _MODULUS


def moved(total: int, before: int, after: int) -> int:
    """Return `total` with the checksum of one part replaced."""
    return (total - before + after) % _MODULUS


def encode_sum(number: int) -> bytes:
    """Return a record's value."""
    return number.to_bytes(CHECKSUM_BYTES)


def decode_sum(raw: bytes | None) -> int:
    """Return the number that was written; raise CacheIncomplete if it is missing or cut short."""
    if raw is None or len(raw) != CHECKSUM_BYTES:
        raise CacheIncomplete("a checksum is missing or cut short")
    return int.from_bytes(raw)


def segment_field(index: int) -> bytes:
    """Name the field of a segment's record."""
    return b"f%d" % index


def shelf_field(index: int) -> bytes:
    """Name the field of a shelf's record."""
    return b"b%d" % index


def shelf_of(bucket: int) -> int:
    """Return the shelf of a bucket."""
    return bucket // SHELF_BUCKETS


def shelves(generation: Generation) -> int:
    """Return how many shelves a generation has."""
    return shelf_of(generation.buckets - 1) + 1


def buckets_of(generation: Generation, shelf: int) -> range:
    """Return the buckets of a shelf; all shelves are full but the last."""
    first = shelf * SHELF_BUCKETS
    return range(first, min(first + SHELF_BUCKETS, generation.buckets))


def record_fields(generation: Generation) -> list[bytes]:
    """Name the fields of all records, without the seal's."""
    return [
        *map(segment_field, range(generation.segments)),
        *map(shelf_field, range(shelves(generation))),
    ]
