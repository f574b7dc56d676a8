"""The filter is read and judged by a second hand, written from its layout alone."""

import numpy as np
import pytest

from cache.filter import (
    BLOCK_BYTES,
    bit_offsets,
    block_count,
    block_index,
    expected_false_positive_rate,
)
from cache.generation import Generation, encode_pointer
from cache.keys import Keys
from cache.replica import Replica
from cache.token import Token
from loadtest.filter_probe import Filter, expected_share, may_contain, read_filter, share_of_maybes
from tests.support.cache_keys import first_key
from tests.support.positions import position

SEED = 20261125
ENTRIES = 50_000
KEY = first_key().first


class Shelf:
    """As much of a Redis as the reader of a filter asks for: values by their keys."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self.values = values

    def get(self, name: str) -> bytes | None:
        return self.values.get(name)

    def mget(self, names: list[str]) -> list[bytes | None]:
        return [self.values.get(name) for name in names]


def tokens_of(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(size, 16), dtype=np.uint8)


def filled(tokens: np.ndarray) -> bytes:
    """Set the bits as the service does, a token at a time."""
    blocks = block_count(len(tokens))
    bits = bytearray(blocks * BLOCK_BYTES)
    for row in tokens:
        token = Token(row.tobytes())
        for offset in bit_offsets(token, block_index(token, blocks) * BLOCK_BYTES):
            bits[offset >> 3] |= 0x80 >> (offset & 7)
    return bytes(bits)


@pytest.fixture(scope="module")
def listed() -> np.ndarray:
    return tokens_of(SEED, ENTRIES)


@pytest.fixture(scope="module")
def bits(listed) -> bytes:
    return filled(listed)


def test_the_second_hand_finds_all_that_the_service_added(listed, bits):
    held = Filter(bits=np.frombuffer(bits, dtype=np.uint8), entries=ENTRIES)

    assert may_contain(held, listed).all()


def test_the_second_hand_agrees_with_the_service_about_strangers(bits):
    held = Filter(bits=np.frombuffer(bits, dtype=np.uint8), entries=ENTRIES)
    generation = plan_of(ENTRIES)
    replica = Replica(generation, position(1), bytearray(bits), KEY)
    strangers = tokens_of(SEED + 1, 50_000)
    said = [replica.may_contain(Token(row.tobytes())) for row in strangers]

    assert any(said)
    assert may_contain(held, strangers).tolist() == said


def test_the_share_of_maybes_is_near_what_theory_expects(bits):
    held = Filter(bits=np.frombuffer(bits, dtype=np.uint8), entries=ENTRIES)
    expected = expected_share(held.entries, held.blocks)

    assert share_of_maybes(held, 2_000_000, SEED + 2) == pytest.approx(expected, rel=0.15)


def test_a_filter_without_a_bit_rules_everybody_out():
    held = Filter(bits=np.zeros(BLOCK_BYTES * 100, dtype=np.uint8), entries=1)

    assert share_of_maybes(held, 10_000, SEED) == 0


def test_theory_is_the_same_by_both_hands():
    for entries in (1_000, 10_000_000):
        blocks = block_count(entries)
        expected = expected_false_positive_rate(entries, blocks)
        assert expected_share(entries, blocks) == pytest.approx(expected, rel=1e-9)


def test_a_filter_in_two_segments_is_read_whole(bits):
    shelf, _ = shelved(bits)

    held = read_filter(shelf)

    assert held.bits.tobytes() == bits
    assert held.entries == ENTRIES


def test_a_filter_with_a_segment_missing_gives_no_figure(bits):
    shelf, keys = shelved(bits)
    del shelf.values[keys[1]]

    with pytest.raises(ValueError, match="a filter of"):
        read_filter(shelf)


def test_without_a_list_there_is_no_filter_to_judge():
    with pytest.raises(ValueError, match="no list"):
        read_filter(Shelf({}))


def plan_of(entries: int) -> Generation:
    return Generation.plan(
        position=position(1), token_key=KEY.fingerprint, entries=entries, segment_blocks=1000
    )


def shelved(bits: bytes) -> tuple[Shelf, list[str]]:
    """Lay a filter where the service does; its keys come too."""
    names, generation = Keys(), plan_of(ENTRIES)
    keys = [names.segment(generation.id, number) for number in range(generation.segments)]
    size = generation.segment_blocks * BLOCK_BYTES
    values = {key: bits[place * size : (place + 1) * size] for place, key in enumerate(keys)}
    assert len(keys) > 1
    return Shelf({names.pointer: encode_pointer(generation), **values}), keys
