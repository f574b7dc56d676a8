"""Cuts a stream of entries into the buckets and filter segments of a generation.

The entries come in the order of their tokens. All tokens here are stored tokens.

Pure: both stores write the pieces that this file yields. Buckets and blocks are monotone in the
token, so a piece is complete when the stream has passed it, and memory holds one piece of each
kind. Empty buckets and segments are yielded too, because a reader takes a missing piece for a loss.

Each bucket holds one field besides its entries, the sentinel. The sentinel is written with the
bucket and read with the token. A bucket that was lost, or made anew by a late write, has no
sentinel and proves nothing. The sentinel's value is the bucket's checksum (`cache.checksum`). The
records of all checksums are yielded last.

Millions of entries are laid out while the same event loop publishes changes. So numpy does the
arithmetic, a stretch at a time. numpy is loaded when the first list is laid out, so a process that
only answers checks stays small.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from importlib import import_module
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from cache.checksum import (
    SEAL_FIELD,
    VALUE_BYTES_MAX,
    Checksums,
    decode_sum,
    encode_sum,
    moved,
    segment_field,
    shelf_field,
    shelf_of,
    shelves,
    total_of,
)
from cache.errors import BuildRejected
from cache.filter import BLOCK_BYTES, POSITION_BITS, POSITIONS
from cache.generation import Generation
from cache.token import TOKEN_BYTES, StoredToken
from cache.token_key import TokenKey, TokenKeys

# Not 16 bytes, so it is no token.
SENTINEL = b"!"

# Entries laid out without giving way: 2 ms, and then one pipeline of the store on Redis.
STRETCH = 2048

_BLOCK_BITS = BLOCK_BYTES * 8
_token_of, _value_of = itemgetter(0), itemgetter(1)

Entries: TypeAlias = AsyncIterable[Sequence[tuple[StoredToken, bytes]]]
"""Batches of entries, for speed; the cuts between batches mean nothing."""


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One hash, as HSET takes it: field, value, field, value; the sentinel first."""

    index: int
    pairs: tuple[bytes, ...]

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The same by field."""
        return dict(zip(self.pairs[::2], self.pairs[1::2], strict=True))


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One string of the filter, and how many of its bits are set."""

    index: int
    data: bytes
    bits: int


class ChecksumRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The records of all checksums with their seal, by field."""

    fields: dict[bytes, bytes]


Piece: TypeAlias = Bucket | Segment | ChecksumRecords


async def lay_out(
    entries: Entries, generation: Generation, checksum_key: bytes
) -> AsyncGenerator[list[Piece], None]:
    """Yield every bucket and segment of the generation, each once, in the order of its kind.

    Pieces come in lists, one list for each stretch of entries; the checksums' records come last.
    Between two yields numpy works on one stretch, and nothing else runs.

    Raises BuildRejected, perhaps after some pieces, if tokens do not strictly ascend, a token or a
    value has a wrong length, or the number of entries is not the announced one.
    """
    # Loading numpy takes a tenth of a second, which the loop must not wait for.
    numpy = await asyncio.to_thread(import_module, "numpy")
    checksums = Checksums(checksum_key, generation.id)
    buckets = _Buckets(numpy, generation, checksums)
    segments = _Segments(numpy, generation, checksums)
    previous = b""
    count = 0
    async for batch in entries:
        for start in range(0, len(batch), STRETCH):
            stretch = batch[start : start + STRETCH]
            tokens, values = list(map(_token_of, stretch)), list(map(_value_of, stretch))
            _refuse_bad_lengths(tokens, values)
            rows = _rows(numpy, tokens)
            _refuse_disorder(numpy, previous, tokens, rows)
            previous = tokens[-1]
            count += len(tokens)
            yield [*buckets.take(rows, tokens, values), *segments.take(rows)]
    if count != generation.entries:
        raise BuildRejected(f"{generation.entries} entries were announced and {count} came")
    for last in (buckets.finish_before(generation.buckets), segments.finish()):
        for start in range(0, len(last), STRETCH):
            yield last[start : start + STRETCH]
    records = buckets.records | segments.records
    total = total_of(records.values())
    sealed = checksums.seal(total, generation.first_head())
    fields = {field: encode_sum(record) for field, record in records.items()}
    yield [ChecksumRecords(fields=fields | {SEAL_FIELD: sealed.encode()})]


def key_of_entries(token_key: str, token_keys: TokenKeys) -> TokenKey:
    """Return the key with this fingerprint, under which the entries' tokens are stored.

    Raises BuildRejected if the key is not held.
    """
    key = token_keys.known(token_key)
    if key is None:
        raise BuildRejected("the entries' tokens are stored under a key that is not held")
    return key


def _refuse_bad_lengths(tokens: list[StoredToken], values: list[bytes]) -> None:
    # A message names no entry, because the message ends in a log.
    wrong = set(map(len, tokens)) - {TOKEN_BYTES}
    if wrong:
        raise BuildRejected(f"a token has {TOKEN_BYTES} bytes, not {min(wrong)}")
    longest = max(map(len, values))
    if longest > VALUE_BYTES_MAX:
        raise BuildRejected(f"a value has {longest} bytes, more than {VALUE_BYTES_MAX}")


def _rows(numpy: Any, tokens: list[StoredToken]) -> Any:
    """Return the tokens' bytes: uint8, one row of 16 for each."""
    return numpy.frombuffer(b"".join(tokens), dtype=numpy.uint8).reshape(-1, TOKEN_BYTES)


def _refuse_disorder(numpy: Any, previous: bytes, tokens: list[StoredToken], rows: Any) -> None:
    """Raise BuildRejected unless all tokens are strictly greater than the one before them."""
    words = rows.view(">u8").astype(numpy.uint64)
    high, low = words[:, 0], words[:, 1]
    ascends = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
    if tokens[0] > previous and ascends.all():
        return
    same = tokens[0] == previous or bool((words[1:] == words[:-1]).all(axis=1).any())
    raise BuildRejected("a token came twice" if same else "tokens out of order")


def _places(numpy: Any, rows: Any, places: int) -> Any:
    """Return (first 32 bits x places) >> 32 of every row, int64: a bucket or a block."""
    first = numpy.ascontiguousarray(rows[:, :4]).view(">u4")[:, 0].astype(numpy.uint64)
    return ((first * numpy.uint64(places)) >> numpy.uint64(32)).astype(numpy.int64)


class _Buckets:
    """The bucket being filled."""

    def __init__(self, numpy: Any, generation: Generation, checksums: Checksums) -> None:
        self._numpy = numpy
        self._generation = generation
        self._checksums = checksums
        self._index = 0
        self._pairs: list[bytes] = []
        self.records = {shelf_field(shelf): 0 for shelf in range(shelves(generation))}

    def take(self, rows: Any, tokens: list[StoredToken], values: list[bytes]) -> list[Piece]:
        """Return the buckets that these entries complete."""
        pieces: list[Piece] = []
        pairs: list[bytes] = [b""] * (2 * len(tokens))
        pairs[::2] = tokens
        pairs[1::2] = values
        places = _places(self._numpy, rows, self._generation.buckets)
        cuts = (self._numpy.flatnonzero(places[1:] != places[:-1]) + 1).tolist()
        starts = [0, *cuts]
        for start, end, index in zip(
            starts, [*cuts, len(tokens)], places[starts].tolist(), strict=True
        ):
            if index != self._index:
                pieces += self.finish_before(index)
            self._pairs += pairs[2 * start : 2 * end]
        return pieces

    def finish_before(self, index: int) -> list[Piece]:
        """Return the buckets up to `index`; the bucket `index` is filled next."""
        pieces: list[Piece] = [self._bucket(self._index, self._pairs)]
        pieces += [self._bucket(empty, []) for empty in range(self._index + 1, index)]
        self._index = index
        self._pairs = []
        return pieces

    def _bucket(self, index: int, pairs: list[bytes]) -> Bucket:
        checksum = self._checksums.bucket(index, pairs[::2], pairs[1::2])
        shelf = shelf_field(shelf_of(index))
        self.records[shelf] = moved(self.records[shelf], 0, decode_sum(checksum))
        return Bucket(index=index, pairs=(SENTINEL, checksum, *pairs))


class _Segments:
    """The segment being filled: one byte for each of its bits, until it is packed."""

    def __init__(self, numpy: Any, generation: Generation, checksums: Checksums) -> None:
        self._numpy = numpy
        self._generation = generation
        self._checksums = checksums
        self.records: dict[bytes, int] = {}
        self._shifts = numpy.arange(POSITIONS - 1, -1, -1, dtype=numpy.uint16)
        self._index = 0
        self._bits = self._blank()

    def take(self, rows: Any) -> list[Piece]:
        """Return the segments that these tokens complete."""
        numpy, per_segment = self._numpy, self._generation.segment_blocks
        blocks = _places(numpy, rows, self._generation.blocks)
        # Position i is 9 bits from bit 9i of bytes 4 to 12 on: they lie in bytes 4 + i and 5 + i.
        wide = rows[:, 4 : 5 + POSITIONS].astype(numpy.uint16)
        positions = (wide[:, :-1] << 8 | wide[:, 1:]) >> self._shifts
        positions &= (1 << POSITION_BITS) - 1
        bits = blocks[:, None] * _BLOCK_BITS + positions
        pieces: list[Piece] = []
        last = int(blocks[-1]) // per_segment
        for index in range(self._index, last + 1):
            if index != self._index:
                pieces.append(self._finish())
            low, high = numpy.searchsorted(blocks, [index * per_segment, (index + 1) * per_segment])
            self._bits[bits[low:high] - index * per_segment * _BLOCK_BITS] = 1
        return pieces

    def finish(self) -> list[Piece]:
        """Return the segments that are left."""
        return [self._finish() for _ in range(self._index, self._generation.segments)]

    def _finish(self) -> Segment:
        data = self._numpy.packbits(self._bits).tobytes()
        bits = int(self._numpy.count_nonzero(self._bits))
        record = self._checksums.segment(self._index, data)
        self.records[segment_field(self._index)] = record
        segment = Segment(index=self._index, data=data, bits=bits)
        self._index += 1
        self._bits = self._blank()
        return segment

    def _blank(self) -> Any:
        size = max(0, self._generation.segment_bytes(self._index)) * 8
        return self._numpy.zeros(size, dtype=self._numpy.uint8)
