"""A blocked Bloom filter: whether a token may be in the set, from one 64-byte block.

Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters (WEA 2007). All bits of a
token lie in one block, so a lookup is one cache line in a process and one GETRANGE on Redis. A
"no" is a proof as long as the block is whole; a "yes" is only a reason to look.

    token   b0 b1 b2 b3 | b4 ........ b12 | b13 b14 b15
            block       | 8 positions     | not used
            32 bits     | 8 x 9 bits, the most significant first

- Block: (first 32 bits, big-endian, x blocks) >> 32. Monotone in the token, so a stream in token
  order builds the filter from front to back and never returns to a block.
- Position p, 0 to 511, is bit 7 - p % 8 of byte p // 8: the most significant bit first, which is
  how Redis numbers bits. Position p of a block that starts at byte b is SETBIT offset 8b + p.

16 bits an entry and 8 positions, measured by tests/property/cache/test_false_positive_rate.py:

    entries      bytes    false positives    theory
      1 000      2 048           0.0788 %  0.0765 %
     10 000     20 032           0.0892 %  0.0865 %
    100 000    200 000           0.0882 %  0.0873 %

The formula takes a block's mean fill for its fill, which makes it about 2 % low.

All tokens here are stored tokens. This file knows nothing of Redis, keys or generations.
"""

from math import ceil, exp, lgamma, log

from cache.token import StoredToken

BLOCK_BYTES = 64
BITS_PER_ENTRY = 16
POSITIONS = 8

_BLOCK_BITS = BLOCK_BYTES * 8
ENTRIES_PER_BLOCK = _BLOCK_BITS // BITS_PER_ENTRY
POSITION_BITS = 9
_LAST = _BLOCK_BITS - 1
_SHIFTS = tuple(range((POSITIONS - 1) * POSITION_BITS, -1, -POSITION_BITS))


def block_count(entries: int) -> int:
    """Return how many blocks hold `entries` tokens; one at least, so that "no" can be proven."""
    return max(1, ceil(entries / ENTRIES_PER_BLOCK))


def block_index(token: StoredToken, blocks: int) -> int:
    """Return the block of a token, 0 up to `blocks` - 1."""
    return (int.from_bytes(token[:4], "big") * blocks) >> 32


def block_mask(token: StoredToken) -> int:
    """Return the token's bits as one 512-bit number: position 0 is its most significant bit."""
    rest = int.from_bytes(token[4:13], "big")
    mask = 0
    for shift in _SHIFTS:
        mask |= 1 << (_LAST - (rest >> shift & _LAST))
    return mask


def bit_offsets(token: StoredToken, start: int) -> list[int]:
    """Return the token's bits as SETBIT counts them, in a string whose block begins at `start`."""
    rest = int.from_bytes(token[4:13], "big")
    return [start * 8 + (rest >> shift & _LAST) for shift in _SHIFTS]


def may_contain(block: bytes, token: StoredToken) -> bool:
    """Return whether the token's own block has all its bits; False proves absence.

    Raises ValueError for a block that is not whole: a missing byte is not a zero.
    """
    if len(block) != BLOCK_BYTES:
        raise ValueError(f"a block has {BLOCK_BYTES} bytes, not {len(block)}")
    rest = int.from_bytes(token[4:13], "big")
    # Most tokens asked about are not listed, and at each step three in five of those leave.
    for shift in _SHIFTS:
        position = rest >> shift & _LAST
        if not block[position >> 3] & (0x80 >> (position & 7)):
            return False
    return True


def expected_false_positive_rate(entries: int, blocks: int) -> float:
    """Return the paper's rate: a Poisson sum over how many entries fall into one block.

    Good for many blocks; with a few, the load of a block is not yet Poisson.
    """
    mean = entries / blocks
    if mean == 0:
        return 0.0
    # Twelve standard deviations and a few more: what is beyond adds nothing to a float.
    most = ceil(mean + 12 * mean**0.5 + 12)
    unset = 1 - 1 / _BLOCK_BITS
    return sum(
        exp(load * log(mean) - mean - lgamma(load + 1))
        * (1 - unset ** (POSITIONS * load)) ** POSITIONS
        for load in range(1, most)
    )
