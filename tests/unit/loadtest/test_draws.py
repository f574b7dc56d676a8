"""Draws repeat, keep their shares, and scatter without collision."""

from collections import Counter
from random import Random

import pytest

from loadtest.draw import below, pick, pick_early, scatter, spread


@pytest.mark.parametrize("modulus", [1, 2, 30, 210, 1024, 2310])
def test_a_scatter_gives_every_value_of_its_space_once(modulus):
    for seed in range(20):
        place = scatter(Random(seed), modulus)
        assert sorted(map(place, range(modulus))) == list(range(modulus))


def test_draws_are_those_of_every_version_of_python():
    rng = Random(1)
    assert [below(rng, 1000) for _ in range(5)] == [134, 847, 763, 255, 495]


def test_a_spread_item_is_picked_in_proportion_to_its_weight():
    rng, items = Random(1), spread([("a", 3), ("b", 1)])
    counts = Counter(pick(rng, items) for _ in range(4000))
    assert 2850 < counts["a"] < 3150


def test_early_items_are_picked_more_often():
    rng = Random(1)
    counts = Counter(pick_early(rng, "abcd") for _ in range(4000))
    assert counts["a"] > counts["b"] > counts["c"] > counts["d"] > 0
