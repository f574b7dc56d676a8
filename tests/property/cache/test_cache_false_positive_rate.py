"""False positives keep to the theory. Run with `-s` for the table in `cache.filter`'s docstring."""

import random

import pytest

from cache.filter import (
    BLOCK_BYTES,
    block_count,
    block_index,
    block_mask,
    expected_false_positive_rate,
    may_contain,
)

PROBES = 500_000
STANDARD_ERRORS = 4
# The formula's own bias, of which its docstring speaks.
BIAS = 0.03


@pytest.mark.parametrize("entries", [1_000, 10_000, 100_000])
def test_false_positives_are_within_a_few_standard_errors_of_theory(entries):
    seed = 20_161_123 + entries
    dice = random.Random(seed)
    blocks = block_count(entries)
    masks = [0] * blocks
    for _ in range(entries):
        token = dice.randbytes(16)
        masks[block_index(token, blocks)] |= block_mask(token)
    whole = [mask.to_bytes(BLOCK_BYTES) for mask in masks]
    false = 0
    for _ in range(PROBES):
        token = dice.randbytes(16)
        false += may_contain(whole[block_index(token, blocks)], token)
    theory = expected_false_positive_rate(entries, blocks)
    measured = false / PROBES
    error = (theory / PROBES) ** 0.5
    print(f"{entries:>11,} {blocks * BLOCK_BYTES:>11,} {measured:>11.5%} {theory:>9.5%}")  # noqa: T201 - the table is read by whoever tunes the filter
    assert abs(measured - theory) <= STANDARD_ERRORS * error + BIAS * theory, f"seed {seed}"
