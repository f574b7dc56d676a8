"""Numbers that a list shows only in part, and the keys that find them without scanning.

A list may hide characters of a resident ID or a uscc behind `*`; as a rule the 11th to the 14th. A
check has the whole number. Both sides build the same text for a few fixed shapes: the characters
outside of the shape, and the name.

    shape    hidden characters    the key holds
    11-14    11 to 14             the first ten and the last four
    7-14     7 to 14              the first six and the last four
    11-18    11 to 18             the first ten
    1-18     all                  the name alone

The list stores one key, of the first shape that covers the hidden characters. A check builds the
keys of all shapes that the list may hold. `MaskedNumber.matches` then compares each find, because a
shape may hide more than the list does. Every key holds the name, because so few characters alone
identify nobody.
"""

from collections.abc import Sequence
from typing import Final, Self

import msgspec

from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.name import normalize_name
from checker.domain.organization import USCC_ALPHABET
from checker.domain.text import compact

MASKED_KIND: Final = "masked"
KNOWN_LEAST: Final = 10
"""Fewer known characters fit too many people (contract, section 5)."""

_LENGTH = 18
_MASK = "*"
_DIGITS = frozenset("0123456789")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A run of hidden characters, `[first, past)` counted from 0. Keys hold its `name`."""

    name: str
    first: int
    past: int

    def covers(self, pattern: str) -> bool:
        """Whether all hidden characters of `pattern` lie in the run."""
        return _MASK not in self.visible(pattern)

    def visible(self, text: str) -> str:
        """Return the characters of `text` outside of the run."""
        return text[: self.first] + text[self.past :]


SHAPES: Final = (
    Shape(name="11-14", first=10, past=14),
    Shape(name="7-14", first=6, past=14),
    Shape(name="11-18", first=10, past=18),
    Shape(name="1-18", first=0, past=_LENGTH),
)

EVERY_SHAPE: Final = tuple(range(len(SHAPES)))
"""The places of all shapes in `SHAPES`."""


class MaskedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A resident ID or uscc of 18 characters, some of them `*`."""

    pattern: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the masked number of a text in any width, case and spacing.

        15 characters are a resident ID of the old form: century 19 is inserted, and the check digit
        is one more hidden character. Raises `InvalidDocument`: length, character, mask (none
        hidden, or fewer than ten known), in this order.
        """
        number = compact(text)
        if len(number) not in {15, _LENGTH}:
            raise InvalidDocument(InvalidReason.LENGTH)
        hidden = number.count(_MASK)
        old = len(number) == 15
        pattern = f"{number[:6]}19{number[6:]}{_MASK}" if old else number
        if not (_resident_like(pattern) or (_uscc_like(pattern) and not old)):
            raise InvalidDocument(InvalidReason.CHARACTER)
        if hidden == 0 or len(number) - hidden < KNOWN_LEAST:
            raise InvalidDocument(InvalidReason.MASK)
        return cls(pattern=pattern)

    def matches(self, number: str) -> bool:
        """Whether a normalised `number` agrees with every known character."""
        return len(number) == _LENGTH and all(
            known in (_MASK, asked) for known, asked in zip(self.pattern, number, strict=True)
        )

    def __repr__(self) -> str:
        return "MaskedNumber()"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


def is_masked(text: str) -> bool:
    """Whether `text` hides characters, in half or full width."""
    return _MASK in compact(text)


def masked_lookup_key(masked: MaskedNumber, name: str) -> tuple[str, str]:
    """Return (kind, text) under which the list keeps a masked number.

    A listing without a name gets a key too, which no check asks for.
    """
    return _key(shape_of(masked), masked.pattern, normalize_name(name))


def shape_of(masked: MaskedNumber) -> Shape:
    """Return the first shape that covers the hidden characters."""
    return next(shape for shape in SHAPES if shape.covers(masked.pattern))


def masked_lookup_keys(
    number: str, name: str, shapes: Sequence[int] = EVERY_SHAPE
) -> tuple[tuple[str, str], ...]:
    """Return every (kind, text) under which a masked form of a normalised `number` may be kept.

    `shapes` are the places in `SHAPES` of the shapes that the list may hold. The tuple is empty if
    the name is blank, or if the number has not the 18 characters that lists mask.
    """
    if len(number) != _LENGTH:
        return ()
    folded = normalize_name(name)
    if not folded:
        return ()
    return tuple([_key(SHAPES[place], number, folded) for place in shapes])


def _key(shape: Shape, number: str, folded_name: str) -> tuple[str, str]:
    return MASKED_KIND, f"{shape.name}:{shape.visible(number)}:{folded_name}"


def _resident_like(pattern: str) -> bool:
    hidden_or_digit = _DIGITS | {_MASK}
    return hidden_or_digit.issuperset(pattern[:17]) and pattern[17] in hidden_or_digit | {"X"}


def _uscc_like(pattern: str) -> bool:
    return (USCC_ALPHABET | {_MASK}).issuperset(pattern) and (_DIGITS | {_MASK}).issuperset(
        pattern[2:8]
    )
