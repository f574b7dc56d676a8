"""A node's own copy of the filter of one generation: a lookup proves "not listed", or nothing.

The same bits as on Redis (`cache.filter`), all blocks one behind the other:

    block of 64 bytes | block | ...      block i begins at byte 64 i, whatever segment it was in

A lookup reads one cache line and ends at the first bit that is not set; three in five end at each
step. All steps are written out, because a loop costs more than its steps. Measured on the bits of
10 million persons: 0.6 us for a token that is not listed; `cache.filter.may_contain` takes 1.6 us
with finding the block. Many tokens are sieved by numpy first, for 0.15 us each.

All tokens here are stored tokens. `cache.leased_replica` makes them, and decides whether these bits
may still answer. Not thread-safe.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Final

import numpy as np

from cache.changes import Position
from cache.filter import BLOCK_BYTES
from cache.generation import Generation
from cache.token import TOKEN_BYTES, StoredToken
from cache.token_key import TokenKey

# Bytes 0 to 3 find the block; 4 to 12 hold 8 positions of 9 bits, of which the eighth lies across
# the second and the third number. Raises struct.error for a token that has not 16 bytes.
_cut: Callable[[bytes], tuple[int, int, int]] = Struct(">IQI").unpack

_COLUMNS: Final = np.dtype([("first", ">u4"), ("middle", ">u8"), ("last", ">u4")])
_SIEVE: Final = tuple(np.uint64(shift) for shift in (55, 46, 37))
"""The shifts of the first three positions. Behind them 7 % of the tokens are left.

A further position costs more for the whole batch than `may_contain` for the tokens that are left.
"""

SIEVE_FROM: Final = 100
"""From this number of tokens on the sieve pays: it costs some 50 us for any number."""


class Replica:
    """The bits of `generation` with all tokens up to `position`.

    The bits and the key of their tokens belong together, so that nobody asks with another key.
    `cipher` is that key; None: a stored token is the token.
    """

    __slots__ = ("_bits", "_blocks", "cipher", "generation", "key", "position")

    def __init__(
        self, generation: Generation, position: Position, bits: bytearray, key: TokenKey
    ) -> None:
        """Take over `bits`, which must be all blocks of the generation; they are not copied.

        `key` is the one under which the generation's tokens are stored.
        """
        if len(bits) != generation.blocks * BLOCK_BYTES:
            raise ValueError("the bits are not those of the generation")
        assert key.fingerprint == generation.token_key, "the key is not that of the generation"
        self.key = key
        # A property would cost each check more than this attribute.
        self.cipher = None if key.is_plain else key
        self.generation = generation
        self.position = position
        self._bits = bits
        self._blocks = generation.blocks

    @property
    def filter_bytes(self) -> int:
        """How much memory the bits take."""
        return len(self._bits)

    def fill(self) -> float:
        """Return the share of the bits that are set; may run in a thread, and takes some 10 ms."""
        words = np.frombuffer(self._bits, dtype=np.uint64)
        return int(np.bitwise_count(words).sum()) / (len(self._bits) * 8)

    def may_contain(self, token: StoredToken) -> bool:
        """Return whether the token's block has all its bits; False proves it was never added."""
        first, middle, last = _cut(token)
        bits = self._bits
        at = (first * self._blocks >> 32) << 6
        # Shifted left by its number, a bit stands where 128 is: bit 0 of a byte is the highest.
        if not bits[at + (middle >> 58)] << (middle >> 55 & 7) & 128:
            return False
        if not bits[at + (middle >> 49 & 63)] << (middle >> 46 & 7) & 128:
            return False
        if not bits[at + (middle >> 40 & 63)] << (middle >> 37 & 7) & 128:
            return False
        if not bits[at + (middle >> 31 & 63)] << (middle >> 28 & 7) & 128:
            return False
        if not bits[at + (middle >> 22 & 63)] << (middle >> 19 & 7) & 128:
            return False
        if not bits[at + (middle >> 13 & 63)] << (middle >> 10 & 7) & 128:
            return False
        if not bits[at + (middle >> 4 & 63)] << (middle >> 1 & 7) & 128:
            return False
        return bits[at + ((middle & 1) << 5 | last >> 27)] << (last >> 24 & 7) & 128 != 0

    def maybes(self, tokens: bytes) -> list[int]:
        """Return the indices of the tokens that `may_contain` does not rule out, in order.

        The tokens stand one behind the other.
        """
        count = len(tokens) // TOKEN_BYTES
        left: Iterable[int] = range(count) if count < SIEVE_FROM else self._sieved(tokens)
        may_contain = self.may_contain
        return [
            index
            for index in left
            if may_contain(tokens[index * TOKEN_BYTES : (index + 1) * TOKEN_BYTES])  # type: ignore[arg-type]
        ]

    def _sieved(self, tokens: bytes) -> list[int]:
        """Return the indices of the tokens of which the first positions are set."""
        bits = np.frombuffer(self._bits, dtype=np.uint8)
        columns = np.frombuffer(tokens, dtype=_COLUMNS)
        at = (columns["first"] * np.uint64(self._blocks) >> np.uint64(32)) << np.uint64(6)
        middle = columns["middle"].astype(np.uint64)
        left = np.arange(len(columns))
        for shift in _SIEVE:
            position = middle >> shift & np.uint64(511)
            # As in `may_contain`: shifted left by its number, a bit stands where 128 is.
            shifted = bits[at + (position >> np.uint64(3))] << (position & np.uint64(7))
            is_set = (shifted & np.uint64(128)) != 0
            left, at, middle = left[is_set], at[is_set], middle[is_set]
        indices: list[int] = left.tolist()
        return indices

    def add(self, tokens: Iterable[StoredToken]) -> None:
        """Set the bits of these tokens; twice is as good as once."""
        bits, blocks = self._bits, self._blocks
        for token in tokens:
            first, middle, last = _cut(token)
            at = (first * blocks >> 32) << 6
            bits[at + (middle >> 58)] |= 128 >> (middle >> 55 & 7)
            bits[at + (middle >> 49 & 63)] |= 128 >> (middle >> 46 & 7)
            bits[at + (middle >> 40 & 63)] |= 128 >> (middle >> 37 & 7)
            bits[at + (middle >> 31 & 63)] |= 128 >> (middle >> 28 & 7)
            bits[at + (middle >> 22 & 63)] |= 128 >> (middle >> 19 & 7)
            bits[at + (middle >> 13 & 63)] |= 128 >> (middle >> 10 & 7)
            bits[at + (middle >> 4 & 63)] |= 128 >> (middle >> 1 & 7)
            bits[at + ((middle & 1) << 5 | last >> 27)] |= 128 >> (last >> 24 & 7)
