"""Reads numbers that a list shows only in part.

A star hides characters; so do the signs of `_SIGNS`, and in the number of a person a run of at
least two X, because such a number has an X in its last place alone. An X in a uscc is a character.

A run of stars stands for the rest of the number, whatever the length of the run is: the courts'
platform writes eleven characters, `****`, and four. The runs are literal only if they make the
number as long as a new one. So a text may have several readings: 18 digits or 15, or several runs
that share the rest. A reading counts only if a number of its kind can have the known characters,
and a person the date of birth. A text with two readings that count is refused, because each would
be another person.

    kind                            lengths    known characters, at least
    resident_id                     18, 15     10
    foreign_permanent_resident_id   18         10
    uscc                            18         10
    org_code                        9          5, so that four may be hidden

15 characters are a resident ID of the old form: century 19 is inserted, and the check digit is one
more hidden character. A masked number matches only together with the name.
"""

import functools
import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from typing import Final

from checker.domain.document import DocumentType
from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.masking import MASK, MaskedNumber
from checker.domain.organization import USCC_ALPHABET, USCC_BEGINNINGS
from checker.domain.resident_id import EARLIEST_BIRTH
from checker.domain.text import compact

KNOWN_LEAST: Final = 10
"""Fewer known characters fit too many people (contract, section 5)."""

KNOWN_LEAST_OF_CODE: Final = 5
"""An organization code has nine characters, and lists hide four. The name of the organization must
agree too."""

_LENGTHS: Final = {
    DocumentType.RESIDENT_ID: (18, 15),
    DocumentType.FOREIGN_PERMANENT_RESIDENT_ID: (18,),
    DocumentType.USCC: (18,),
    DocumentType.ORG_CODE: (9,),
}
_PERSONS = frozenset({DocumentType.RESIDENT_ID, DocumentType.FOREIGN_PERMANENT_RESIDENT_ID})

# Stars, bullets, circles, squares and the multiplication sign: no number has one of them.
_SIGNS = dict.fromkeys(
    map(ord, "\u2217\u204e\u2731\u2733\u2022\u25cf\u25cb\u25ef\u25a0\u25a1\u00d7"), MASK
)
_RUN = re.compile(r"\*+")
_RUN_OF_X = re.compile(r"X{2,}")
_HIDDEN_OR_DIGIT = frozenset("0123456789") | {MASK}
_CODE = re.compile(r"[0-9A-Z*]{8}[0-9X*]")


def read_masked(kind: DocumentType, text: str, today: date) -> MaskedNumber | None:
    """Return the masked number of a text in any width, case and spacing.

    Return None if the text hides nothing, or if lists do not mask this kind. `today` is the day in
    Asia/Shanghai.

    Raises `InvalidDocument`: too few known characters, length, character, birth date, more than one
    reading, in this order.
    """
    lengths = _LENGTHS.get(kind)
    number = compact(text).translate(_SIGNS)
    if kind in _PERSONS:
        number = _RUN_OF_X.sub(lambda run: MASK * len(run[0]), number)
    if lengths is None or MASK not in number:
        return None
    least = KNOWN_LEAST_OF_CODE if kind is DocumentType.ORG_CODE else KNOWN_LEAST
    if len(number) - number.count(MASK) < least:
        raise InvalidDocument(InvalidReason.MASK)
    patterns = _patterns(number, lengths)
    if not patterns:
        raise InvalidDocument(InvalidReason.LENGTH)
    patterns = [pattern for pattern in patterns if _has_form(kind, pattern)]
    if not patterns:
        raise InvalidDocument(InvalidReason.CHARACTER)
    if kind in _PERSONS:
        patterns = [pattern for pattern in patterns if _may_be_born(pattern[6:14], today)]
        if not patterns:
            raise InvalidDocument(InvalidReason.BIRTH_DATE)
    if len(patterns) > 1:
        raise InvalidDocument(InvalidReason.AMBIGUOUS_MASK)
    return MaskedNumber(pattern=patterns[0])


def _patterns(number: str, lengths: tuple[int, ...]) -> list[str]:
    """Return the readings of `number` as new numbers: those of 15 characters are upgraded."""
    if len(number) == lengths[0]:
        return [number]
    readings = dict.fromkeys(
        _upgraded(reading) if length == 15 else reading
        for length in lengths
        for reading in ([number] if len(number) == length else _spread(number, length))
    )
    return list(readings)


def _spread(number: str, length: int) -> Iterator[str]:
    """Yield `number` with `length` characters, for each way in which its runs share the rest."""
    known = _RUN.split(number)
    runs = len(known) - 1
    rest = length - sum(map(len, known))
    if rest < runs:
        return
    # Each cut ends a run: every run hides one character at least.
    for cuts in combinations(range(1, rest), runs - 1):
        hidden = [past - first for first, past in pairwise((0, *cuts, rest))]
        yield known[0] + "".join(
            [MASK * count + shown for count, shown in zip(hidden, known[1:], strict=True)]
        )


def _upgraded(number: str) -> str:
    return f"{number[:6]}19{number[6:]}{MASK}"


def _has_form(kind: DocumentType, pattern: str) -> bool:
    """Whether the known characters of `pattern` are such as numbers of `kind` have there."""
    if kind is DocumentType.ORG_CODE:
        return _CODE.fullmatch(pattern) is not None
    if kind is DocumentType.USCC:
        return (
            (USCC_ALPHABET | {MASK}).issuperset(pattern)
            and _HIDDEN_OR_DIGIT.issuperset(pattern[2:8])
            and any(_agrees(pattern[:2], beginning) for beginning in USCC_BEGINNINGS)
        )
    if kind is DocumentType.FOREIGN_PERMANENT_RESIDENT_ID and pattern[0] not in {"9", MASK}:
        return False
    return _HIDDEN_OR_DIGIT.issuperset(pattern[:17]) and pattern[17] in _HIDDEN_OR_DIGIT | {"X"}


# Lists hide the same places of many numbers: few different patterns come.
@functools.lru_cache(maxsize=4096)
def _may_be_born(pattern: str, today: date) -> bool:
    """Whether a day from 1800 on and until `today` agrees with the YYYYMMDD of `pattern`."""
    return any(
        _is_day_until(today, year, month, day)
        for year in _numbers(pattern[:4], EARLIEST_BIRTH.year, today.year)
        for month in _numbers(pattern[4:6], 1, 12)
        for day in _numbers(pattern[6:], 1, 31)
    )


def _numbers(pattern: str, first: int, last: int) -> Iterator[int]:
    """Yield the numbers from `first` to `last` that agree with `pattern`."""
    if MASK not in pattern:
        if first <= int(pattern) <= last:
            yield int(pattern)
        return
    for number in range(first, last + 1):
        if _agrees(pattern, f"{number:0{len(pattern)}}"):
            yield number


def _is_day_until(today: date, year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day) <= today
    except ValueError:
        return False


def _agrees(pattern: str, text: str) -> bool:
    return all(known in (MASK, shown) for known, shown in zip(pattern, text, strict=True))
