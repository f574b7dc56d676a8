"""The filter's arithmetic, by hand where a hand can do it."""

import pytest

from cache.filter import (
    BLOCK_BYTES,
    bit_offsets,
    block_count,
    block_index,
    block_mask,
    expected_false_positive_rate,
    may_contain,
)
from cache.token import Token

GOLDEN = Token(bytes.fromhex("60f18f0f37b48593f2122721c2285d15"))


def test_a_block_index_is_the_golden_one():
    # 0x60f18f0f / 2^32 = 0.378...
    assert block_index(GOLDEN, 1_000) == 378
    assert block_index(GOLDEN, 1) == 0


@pytest.mark.parametrize(("first", "index"), [("00000000", 0), ("7fffffff", 4), ("ffffffff", 9)])
def test_block_indices_follow_the_order_of_tokens(first, index):
    assert block_index(Token(bytes.fromhex(first) + bytes(12)), 10) == index


def test_positions_are_the_golden_ones_counted_from_the_most_significant_bit():
    block = bytearray(BLOCK_BYTES)
    for position in (111, 210, 44, 319, 66, 137, 400, 450):
        block[position // 8] |= 1 << (7 - position % 8)
    assert block_mask(GOLDEN).to_bytes(BLOCK_BYTES) == bytes(block)


def test_bit_offsets_count_from_the_start_of_the_string():
    assert bit_offsets(GOLDEN, 0) == [111, 210, 44, 319, 66, 137, 400, 450]
    assert bit_offsets(GOLDEN, 128)[0] == 128 * 8 + 111


def test_a_block_that_lacks_one_bit_does_not_contain_the_token():
    mask = block_mask(GOLDEN)
    assert may_contain(mask.to_bytes(BLOCK_BYTES), GOLDEN)
    for position in range(512):
        bit = 1 << position
        if mask & bit:
            assert not may_contain((mask ^ bit).to_bytes(BLOCK_BYTES), GOLDEN)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_block_that_is_not_whole_is_no_proof(length):
    with pytest.raises(ValueError, match="64 bytes"):
        may_contain(bytes(length), GOLDEN)


@pytest.mark.parametrize(
    ("entries", "blocks"), [(0, 1), (1, 1), (32, 1), (33, 2), (10**7, 312_500)]
)
def test_a_block_is_planned_for_every_32_entries_and_one_at_least(entries, blocks):
    assert block_count(entries) == blocks


def test_an_empty_filter_has_no_false_positives():
    assert expected_false_positive_rate(0, 1) == 0


def test_a_fuller_filter_has_more_false_positives():
    rates = [expected_false_positive_rate(entries, 100) for entries in (800, 3_200, 12_800)]
    assert rates == sorted(rates)
    assert rates[1] == pytest.approx(0.000873, abs=0.000001)
