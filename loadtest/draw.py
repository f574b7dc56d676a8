"""Draws that Python promises never to change: one seed gives the same bytes on every version.

Only `Random.seed(int)` and `Random.random()` carry that promise; `choice` and `randrange` do not.
"""

from collections.abc import Sequence
from math import gcd
from random import Random
from typing import TypeVar

import msgspec

T = TypeVar("T")

_GOLDEN_SECTION = 0.6180339887498949


def below(rng: Random, limit: int) -> int:
    """Draw a whole number in `range(limit)`."""
    return int(rng.random() * limit)


def pick(rng: Random, items: Sequence[T]) -> T:
    """Draw one of the items, each as likely as the others."""
    return items[int(rng.random() * len(items))]


def pick_early(rng: Random, items: Sequence[T]) -> T:
    """Draw one of the items, the early ones more often: item k about as 1/sqrt(k)."""
    return items[int(rng.random() ** 2 * len(items))]


def spread(weights: Sequence[tuple[T, int]]) -> tuple[T, ...]:
    """Repeat each item by its weight, so that `pick` draws it in proportion."""
    return tuple(item for item, weight in weights for _ in range(weight))


class Scatter(msgspec.Struct, frozen=True, kw_only=True):
    """A one-to-one map of `range(modulus)` onto itself without a visible order.

    Distinct indices give distinct values, so a caller that uses each index once
    meets no collision and remembers no value.
    """

    modulus: int
    multiplier: int
    offset: int

    def __call__(self, index: int) -> int:
        """Return the value of an index; IndexError where the index is outside the space."""
        if not 0 <= index < self.modulus:
            raise IndexError(f"index {index} is outside a space of {self.modulus}")
        return (self.multiplier * index + self.offset) % self.modulus


def scatter(rng: Random, modulus: int) -> Scatter:
    """Draw a map of `range(modulus)`; neighbours land about a golden section apart."""
    multiplier = int(modulus * _GOLDEN_SECTION) + below(rng, max(1, modulus // 8))
    while gcd(multiplier, modulus) != 1:
        multiplier += 1
    return Scatter(modulus=modulus, multiplier=multiplier, offset=below(rng, modulus))
