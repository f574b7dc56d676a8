"""A generation: one complete build of the list. The pointer names the generation that answers.

The pointer is one Redis string, this struct as JSON. A generation may be served only if

- every bucket and every filter segment was written and counted before the pointer named it;
- its buckets hold as many entries as were announced and came in;
- its reader holds the key under which its tokens are stored (`cache.token_key`);
- its build marker was there when the pointer was set (a sweep removes a generation that has neither
  marker nor pointer);
- it had all changes that the live generation had at the switch.

`position` is the change that the generation was built from. The changes since then are in its head
(`cache.changes`). Neither proves that the registry has nothing newer: a Redis that restarts from
its disk may bring back an old pointer with its whole generation. This file knows no Redis command.
"""

from math import ceil
from typing import Annotated, Literal, Self
from uuid import uuid4

import msgspec

from cache.changes import Head, Name, Position
from cache.errors import CacheIncomplete
from cache.filter import (
    BLOCK_BYTES,
    ENTRIES_PER_BLOCK,
    block_count,
    block_index,
    expected_false_positive_rate,
)
from cache.token import StoredToken
from cache.token_key import TokenKey, TokenKeys

# Mean fields of a bucket. Redis keeps a hash as a listpack up to 128 fields (7.0 on; 512 before);
# a bucket of mean 48 has more than 127 about once in 10^19.
BUCKET_ENTRIES = 48

# 4 095 blocks and the string's header and end fill, and do not pass, the allocator's 256 KiB.
SEGMENT_BLOCKS = 4095

# A short list has room to grow, or its first changes would have it built anew: 2 048 entries.
BLOCKS_MIN = 64

_FULL_RATE = 2 * expected_false_positive_rate(ENTRIES_PER_BLOCK, 1)

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Size = Annotated[int, msgspec.Meta(ge=1)]


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One build. `token_key` is the fingerprint of the key under which its tokens are stored."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    version: _Count
    as_of_ms: _Count
    change_id: Name
    history: Name
    entries: _Count
    blocks: _Size
    segment_blocks: _Size
    buckets: _Size
    token_key: str
    # Another way to place tokens, or another set of tokens, has another number, because no reader
    # may guess. 2: with checksums (`cache.checksum`) and ids of changes. 3: with kind markers
    # (`cache.leased_replica`). A generation of another layout is rebuilt, as if it were lost.
    layout: Literal[3] = 3

    @classmethod
    def plan(cls, *, position: Position, token_key: str, entries: int, segment_blocks: int) -> Self:
        """Return a new generation sized for `entries`, with an id nobody has used."""
        blocks = max(BLOCKS_MIN, block_count(entries))
        return cls(
            id=uuid4().hex,
            version=position.version,
            as_of_ms=position.as_of_ms,
            change_id=position.change_id,
            history=position.history,
            entries=entries,
            blocks=blocks,
            segment_blocks=segment_blocks,
            buckets=ceil(max(entries, BLOCKS_MIN * ENTRIES_PER_BLOCK) / BUCKET_ENTRIES),
            token_key=token_key,
        )

    @property
    def position(self) -> Position:
        """The change that the generation was built from."""
        return Position(
            version=self.version,
            as_of_ms=self.as_of_ms,
            change_id=self.change_id,
            history=self.history,
        )

    @property
    def segments(self) -> int:
        """How many strings hold the filter."""
        return ceil(self.blocks / self.segment_blocks)

    def segment_bytes(self, index: int) -> int:
        """Return the length of a segment: all are full but the last."""
        return min(self.segment_blocks, self.blocks - index * self.segment_blocks) * BLOCK_BYTES

    def block_of(self, token: StoredToken) -> tuple[int, int]:
        """Return the segment of a token's block, and the byte in it where the block starts."""
        segment, block = divmod(block_index(token, self.blocks), self.segment_blocks)
        return segment, block * BLOCK_BYTES

    def bucket_of(self, token: StoredToken) -> int:
        """Return the token's bucket; monotone in the token, as its block is."""
        return (int.from_bytes(token[:4], "big") * self.buckets) >> 32

    def first_head(self) -> Head:
        """Return the head of the generation as it is built."""
        return Head.at(self.position)

    def is_full(self, added: int) -> bool:
        """Return whether `added` more tokens make twice the false positives of a filter just built.

        Tokens that left the list count: a filter cannot forget. Full is some 14 % more than the
        generation has room for.
        """
        return expected_false_positive_rate(self.entries + added, self.blocks) > _FULL_RATE


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


def servable(raw: bytes | None, token_keys: TokenKeys) -> tuple[Generation, TokenKey]:
    """Return the generation that a reader with these keys may serve, and the key of its tokens.

    Raises CacheIncomplete without a pointer, or as `key_of`.
    """
    if raw is None:
        raise CacheIncomplete("no generation is live")
    generation = decode_pointer(raw)
    return generation, key_of(generation, token_keys)


def key_of(generation: Generation, token_keys: TokenKeys) -> TokenKey:
    """Return the key under which a generation's tokens are stored.

    Raises CacheIncomplete if the key is not held: under the wrong key every listed person would be
    absent. A process may learn the key later, so nobody keeps this refusal.
    """
    key = token_keys.known(generation.token_key)
    if key is None:
        raise CacheIncomplete("the generation's tokens are stored under a key that is not held")
    return key
