"""Numbers that a list shows only in part, and the keys that find them without scanning.

A list may hide characters of a resident ID, a uscc or an organization code; as a rule the 11th to
the 14th. A check has the whole number. Both sides build the same text for a few fixed shapes: the
characters outside of the shape, and the name.

    shape           hidden characters    the key holds
    11-14           11 to 14             the first ten and the last four
    7-14            7 to 14              the first six and the last four
    11-18           11 to 18             the first ten
    1-18            all                  the name alone
    organization    all                  the name alone

The list stores the key of the first shape that covers the hidden characters, for each key of the
name (`checker.domain.name.name_keys`). A number of an organization also has the key of the last
shape, under which a uscc and the organization code in it find each other. A check builds the keys
of all shapes that the list may hold. `MaskedNumber.matches` then compares each find, because a
shape may hide more than the list does. Every key holds the name, because so few characters alone
identify nobody.

`checker.domain.mask_reading` reads masked numbers.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from checker.domain.document import Document, DocumentType
from checker.domain.name import name_keys, normalize_name
from checker.domain.organization import ORG_CODE

MASKED_KIND: Final = "masked"
MASK: Final = "*"

_LENGTH = 18
_CODE_LENGTH = 9
ORGANIZATIONS: Final = frozenset({DocumentType.USCC, DocumentType.ORG_CODE})

Key = tuple[str, str]
"""Kind and text of a key."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A run of hidden characters, `[first, past)` counted from 0. Keys hold its `name`."""

    name: str
    first: int
    past: int

    def covers(self, pattern: str) -> bool:
        """Whether all hidden characters of `pattern` lie in the run."""
        return MASK not in self.visible(pattern)

    def visible(self, text: str) -> str:
        """Return the characters of `text` outside of the run."""
        return text[: self.first] + text[self.past :]


ORGANIZATION_SHAPE: Final = Shape(name="organization", first=0, past=_LENGTH)

SHAPES: Final = (
    Shape(name="11-14", first=10, past=14),
    Shape(name="7-14", first=6, past=14),
    Shape(name="11-18", first=10, past=18),
    Shape(name="1-18", first=0, past=_LENGTH),
    ORGANIZATION_SHAPE,
)
"""They are a format, with their places: a new shape is appended."""

_CUTS: Final = [(f"{each.name}:", each.first, each.past) for each in SHAPES]
_OF_ORGANIZATIONS: Final = SHAPES.index(ORGANIZATION_SHAPE)

EVERY_SHAPE: Final = tuple(range(len(SHAPES)))
"""The places of all shapes in `SHAPES`."""


class MaskedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number with hidden characters: each is `*` in its place.

    `pattern` has the 18 characters of a resident ID or uscc, or the nine of an organization code.
    """

    pattern: str

    def matches(self, number: str) -> bool:
        """Whether a normalised `number` agrees with every known character.

        A uscc and an organization code are compared in the nine characters that they share.
        """
        pattern = self.pattern
        if len(pattern) == _LENGTH and len(number) == _CODE_LENGTH:
            pattern = pattern[ORG_CODE]
        elif len(pattern) == _CODE_LENGTH and len(number) == _LENGTH:
            number = number[ORG_CODE]
        return len(number) == len(pattern) and all(
            known in (MASK, asked) for known, asked in zip(pattern, number, strict=True)
        )

    def __repr__(self) -> str:
        return "MaskedNumber()"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


def shape_of(masked: MaskedNumber) -> Shape:
    """Return the first shape that covers the hidden characters."""
    if len(masked.pattern) != _LENGTH:
        return ORGANIZATION_SHAPE
    return next(shape for shape in SHAPES if shape.covers(masked.pattern))


def masked_lookup_key(masked: MaskedNumber, name: str) -> Key:
    """Return (kind, text) under which the list keeps a masked number: its first key.

    A listing without a name gets a key too, which no check asks for.
    """
    return _key(shape_of(masked), masked.pattern, normalize_name(name))


def further_keys(kind: str, masked: MaskedNumber, name: str) -> tuple[tuple[Shape, str, Key], ...]:
    """Return the other keys of a masked number: shape, key of the name, and (kind, text) of each.

    `kind` is the type of the document.
    """
    own = shape_of(masked)
    shapes = [own]
    if kind in ORGANIZATIONS and own is not ORGANIZATION_SHAPE:
        shapes.append(ORGANIZATION_SHAPE)
    first = masked_lookup_key(masked, name)
    keys = [
        (shape, named, _key(shape, masked.pattern, named))
        for shape in shapes
        for named in name_keys(name, of_person=kind not in ORGANIZATIONS)
    ]
    return tuple([each for each in keys if each[2] != first])


def masked_lookup_keys(
    document: Document, name: str, shapes: Sequence[int] = EVERY_SHAPE
) -> tuple[Key, ...]:
    """Return every (kind, text) under which a masked form of a normalised document may be kept.

    `shapes` are the places in `SHAPES` of the shapes that the list may hold. The tuple is empty if
    the name is blank, or if lists do not mask such a number.
    """
    number, kind = document.number, document.type
    is_whole = len(number) == _LENGTH
    is_organization = kind is DocumentType.USCC or kind is DocumentType.ORG_CODE
    if is_organization:
        cuts = [_CUTS[place] for place in shapes if is_whole or place == _OF_ORGANIZATIONS]
    elif is_whole:
        cuts = [_CUTS[place] for place in shapes if place != _OF_ORGANIZATIONS]
    else:
        return ()
    # Not by `_key`, because each named check of a batch comes here.
    return tuple(
        [
            (MASKED_KIND, f"{prefix}{number[:first]}{number[past:]}:{named}")
            for named in name_keys(name, of_person=not is_organization)
            for prefix, first, past in cuts
        ]
    )


def _key(shape: Shape, number: str, named: str) -> Key:
    return MASKED_KIND, f"{shape.name}:{shape.visible(number)}:{named}"
