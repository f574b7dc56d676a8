"""Counts the false positives of the filter in Redis, and computes the number that theory expects.

Written from the layouts in the docstrings of `cache/filter.py`, `cache/keys.py` and
`cache/generation.py` and not from their code, so that the two check each other:

    checker:live                JSON with `id`, `blocks`, `segment_blocks`, `entries`
    checker:g:<id>:f:<segment>  its blocks of 64 bytes, `segment_blocks` in each string
    token                       4 bytes: block = (them x blocks) >> 32; then 8 positions of 9 bits

A token is the keyed hash of a document: without the key, 16 random bytes. So random
bytes stand for people who are on no list. One of them is listed by chance once in 10^31.
"""

from collections.abc import Iterator
from math import exp, lgamma, log
from typing import Any

import msgspec
import numpy as np
import redis
from numpy.typing import NDArray

BLOCK_BITS = 512
POSITIONS = 8
POSITION_BITS = 9
PROBES_AT_ONCE = 1 << 20
_LIVE = "checker:live"


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A whole filter: its blocks in order."""

    bits: NDArray[np.uint8]
    entries: int

    @property
    def blocks(self) -> int:
        """The number of blocks of 64 bytes."""
        return len(self.bits) * 8 // BLOCK_BITS


class _Live(msgspec.Struct, frozen=True):
    """The fields of the pointer that are read."""

    id: str
    blocks: int
    segment_blocks: int
    entries: int


def read_filter(client: redis.Redis) -> Filter:
    """Return the live filter.

    Raises:
        ValueError: there is no filter, or a part of the filter is missing.
    """
    pointer = client.get(_LIVE)
    if pointer is None:
        raise ValueError("no list is in the cache")
    live = msgspec.json.decode(pointer, type=_Live)
    segments = range(-(-live.blocks // live.segment_blocks))
    held: list[Any] = client.mget([f"checker:g:{live.id}:f:{number}" for number in segments])
    data = b"".join(segment or b"" for segment in held)
    if len(data) * 8 != live.blocks * BLOCK_BITS:
        raise ValueError(f"a filter of {live.blocks} blocks has {len(data)} bytes")
    return Filter(bits=np.frombuffer(data, dtype=np.uint8), entries=live.entries)


def share_of_maybes(held: Filter, probes: int, seed: int) -> float:
    """Return the share of `probes` people on no list that the filter cannot rule out."""
    maybes = sum(int(may_contain(held, tokens).sum()) for tokens in _strangers(probes, seed))
    return maybes / probes


def expected_share(entries: int, blocks: int) -> float:
    """Return the expected share of false positives (Putze, Sanders, Singler 2007)."""
    mean = entries / blocks
    return sum(
        exp(load * log(mean) - mean - lgamma(load + 1))
        * (1 - (1 - 1 / BLOCK_BITS) ** (POSITIONS * load)) ** POSITIONS
        for load in range(1, int(mean + 12 * mean**0.5 + 12))
    )


def _strangers(probes: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    for start in range(0, probes, PROBES_AT_ONCE):
        rows = min(PROBES_AT_ONCE, probes - start)
        yield rng.integers(0, 256, size=(rows, 13), dtype=np.uint8)


def may_contain(held: Filter, tokens: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each row (a token's first 13 bytes) whether its block has all its bits."""
    first = np.ascontiguousarray(tokens[:, :4]).view(">u4")[:, 0].astype(np.uint64)
    block = (first * np.uint64(held.blocks)) >> np.uint64(32)
    positions = np.unpackbits(tokens[:, 4:13], axis=1).reshape(-1, POSITIONS, POSITION_BITS)
    worth = 1 << np.arange(POSITION_BITS - 1, -1, -1, dtype=np.uint64)
    bit = block[:, None] * np.uint64(BLOCK_BITS) + positions @ worth
    found = held.bits[bit >> np.uint64(3)] >> (7 - (bit & np.uint64(7))).astype(np.uint8) & 1
    return np.asarray(found.all(axis=1), dtype=np.bool_)
