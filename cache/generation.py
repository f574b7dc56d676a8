"""A generation: one complete build of the list, and the pointer that says which one answers.

The pointer is one Redis string, this struct as JSON. A generation may be served only if

- every bucket and every filter segment was written and counted before the pointer named it;
- as many entries are in its buckets as were announced and came in;
- it was built with the token key of whoever reads it;
- its build marker was there when the pointer was set (a sweep takes what has neither);
- no newer list was live at that moment.

Whether `version` and `as_of_ms` are new enough for an answer is the caller's to judge: a Redis that
restarts from its disk may bring back an old pointer. Knows no Redis command.
"""

from math import ceil
from typing import Annotated, Literal, Self
from uuid import uuid4

import msgspec

from cache.errors import BuildRejected, CacheIncomplete
from cache.filter import BLOCK_BYTES, block_count, block_index
from cache.token import Token

# Mean fields of a bucket. Redis keeps a hash as a listpack up to 128 fields (7.0 on; 512 before);
# a bucket of mean 48 has more than 127 about once in 10^19.
BUCKET_ENTRIES = 48

# 4 095 blocks and the string's header and end fill, and do not pass, the allocator's 256 KiB.
SEGMENT_BLOCKS = 4095

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Size = Annotated[int, msgspec.Meta(ge=1)]


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One build. `token_key` is the fingerprint of the key that made its tokens."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    version: _Count
    as_of_ms: _Count
    entries: _Count
    blocks: _Size
    segment_blocks: _Size
    buckets: _Size
    token_key: str
    # Another way to place tokens gets another number: an older reader must not guess.
    layout: Literal[1] = 1

    @classmethod
    def plan(
        cls, *, version: int, as_of_ms: int, token_key: str, entries: int, segment_blocks: int
    ) -> Self:
        """Return a new generation sized for `entries`, with an id nobody has used."""
        return cls(
            id=uuid4().hex,
            version=version,
            as_of_ms=as_of_ms,
            entries=entries,
            blocks=block_count(entries),
            segment_blocks=segment_blocks,
            buckets=max(1, ceil(entries / BUCKET_ENTRIES)),
            token_key=token_key,
        )

    @property
    def segments(self) -> int:
        """How many strings hold the filter."""
        return ceil(self.blocks / self.segment_blocks)

    def segment_bytes(self, index: int) -> int:
        """Return the length of a segment: all are full but the last."""
        return min(self.segment_blocks, self.blocks - index * self.segment_blocks) * BLOCK_BYTES

    def block_of(self, token: Token) -> tuple[int, int]:
        """Return the segment of a token's block, and the byte in it where the block starts."""
        segment, block = divmod(block_index(token, self.blocks), self.segment_blocks)
        return segment, block * BLOCK_BYTES

    def bucket_of(self, token: Token) -> int:
        """Return the token's bucket; monotone in the token, as its block is."""
        return (int.from_bytes(token[:4], "big") * self.buckets) >> 32


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Generation)


def encode_pointer(generation: Generation) -> bytes:
    """Return what the pointer holds while this generation is live."""
    return _encoder.encode(generation)


def decode_pointer(raw: bytes) -> Generation:
    """Return the generation a pointer names; raises CacheIncomplete if it cannot be read."""
    try:
        return _decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise CacheIncomplete("the pointer cannot be read") from error


def servable(raw: bytes | None, token_key: str) -> Generation:
    """Return the generation that a reader with this token key may serve.

    Raises CacheIncomplete without a pointer, or if another key made the tokens: looked up with the
    wrong key, every listed person would be absent.
    """
    if raw is None:
        raise CacheIncomplete("no generation is live")
    generation = decode_pointer(raw)
    if generation.token_key != token_key:
        raise CacheIncomplete("the live generation was built with another token key")
    return generation


def refuse_older(generation: Generation, live: bytes | None) -> None:
    """Raise BuildRejected if the live pointer names a newer list than `generation` holds.

    Two rebuilds may run at once, and the slower one may be the older. A pointer that cannot be
    read vouches for nothing and may be replaced.
    """
    if live is None:
        return
    try:
        newest = decode_pointer(live).version
    except CacheIncomplete:
        return
    if generation.version < newest:
        raise BuildRejected(f"version {generation.version} is older than the live {newest}")
