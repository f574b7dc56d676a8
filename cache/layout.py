"""Cuts a stream of entries in token order into the buckets and filter segments of a generation.

Pure: both stores write what comes out of here. Buckets and blocks are monotone in the token, so
each piece is complete when the stream has passed it and memory holds one of each kind. Every bucket
and every segment comes out, empty ones too: a reader takes a missing one for a loss.

Each bucket holds one field more than entries, the sentinel. It is written with the bucket and read
with the token: a bucket that was lost, or made anew by a late write, has none and proves nothing.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator

import msgspec

from cache.errors import BuildRejected
from cache.filter import BLOCK_BYTES, block_mask
from cache.generation import Generation
from cache.token import TOKEN_BYTES, Token

# A hash stays a listpack only while all its values have at most 64 bytes (Redis's default).
VALUE_BYTES_MAX = 64

# Not 16 bytes, so it is no token.
SENTINEL = b"!"
_SENTINEL_VALUE = b""


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One hash: its entries and the sentinel."""

    index: int
    fields: dict[bytes, bytes]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One string of the filter, and how many of its bits are set."""

    index: int
    data: bytes
    bits: int


async def lay_out(
    entries: AsyncIterable[tuple[Token, bytes]], generation: Generation
) -> AsyncGenerator[Bucket | Segment, None]:
    """Yield every bucket and segment of the generation, each once, in order of its kind.

    Raises BuildRejected, perhaps after some pieces, if tokens do not strictly ascend, a token or a
    value has a wrong length, or there are not as many entries as the generation announces.
    """
    buckets, segments = _Buckets(generation), _Segments(generation)
    previous = b""
    count = 0
    async for token, value in entries:
        _refuse_bad_entry(token, value, previous)
        bucket = generation.bucket_of(token)
        if bucket != buckets.index:
            for piece in buckets.finish_before(bucket):
                yield piece
        segment, start = generation.block_of(token)
        if segment != segments.index:
            for segment_piece in segments.finish_before(segment):
                yield segment_piece
        buckets.fields[token] = value
        segments.add(start, block_mask(token))
        previous = token
        count += 1
    if count != generation.entries:
        raise BuildRejected(f"{generation.entries} entries were announced and {count} came")
    for piece in buckets.finish_before(generation.buckets):
        yield piece
    for segment_piece in segments.finish_before(generation.segments):
        yield segment_piece


def refuse_foreign(token_key: str, own: str) -> None:
    """Raise BuildRejected if the entries' tokens were made with a key that readers do not use."""
    if token_key != own:
        raise BuildRejected("the entries' tokens were made with another token key")


def _refuse_bad_entry(token: Token, value: bytes, previous: bytes) -> None:
    # Of the entry itself nothing goes into the message: it ends in a log.
    if len(token) != TOKEN_BYTES:
        raise BuildRejected(f"a token has {TOKEN_BYTES} bytes, not {len(token)}")
    if token <= previous:
        raise BuildRejected("a token came twice" if token == previous else "tokens out of order")
    if len(value) > VALUE_BYTES_MAX:
        raise BuildRejected(f"a value has {len(value)} bytes, more than {VALUE_BYTES_MAX}")


class _Buckets:
    """The bucket being filled."""

    def __init__(self, generation: Generation) -> None:
        self.index = 0
        self.fields: dict[bytes, bytes] = {SENTINEL: _SENTINEL_VALUE}

    def finish_before(self, index: int) -> Iterator[Bucket]:
        """Yield the buckets up to `index`, which becomes the one being filled."""
        while self.index < index:
            yield Bucket(index=self.index, fields=self.fields)
            self.index += 1
            self.fields = {SENTINEL: _SENTINEL_VALUE}


class _Segments:
    """The segment being filled, and the block in it whose bits are being gathered."""

    def __init__(self, generation: Generation) -> None:
        self.index = 0
        self._generation = generation
        self._data = bytearray(generation.segment_bytes(0))
        self._bits = 0
        self._start = 0
        self._mask = 0

    def add(self, start: int, mask: int) -> None:
        if start != self._start:
            self._finish_block()
            self._start = start
        self._mask |= mask

    def finish_before(self, index: int) -> Iterator[Segment]:
        """Yield the segments up to `index`, which becomes the one being filled."""
        while self.index < index:
            self._finish_block()
            yield Segment(index=self.index, data=bytes(self._data), bits=self._bits)
            self.index += 1
            self._data = bytearray(max(0, self._generation.segment_bytes(self.index)))
            self._bits = 0
            self._start = 0

    def _finish_block(self) -> None:
        self._data[self._start : self._start + BLOCK_BYTES] = self._mask.to_bytes(BLOCK_BYTES)
        self._bits += self._mask.bit_count()
        self._mask = 0
