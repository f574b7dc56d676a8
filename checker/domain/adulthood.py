"""The age that a resident ID shows, whole or with hidden characters.

A person under 18 is never listed. A number whose birth date is hidden in part shows an age only if
every date that fits the known characters gives the same answer.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Final

from checker.domain.resident_id import EARLIEST_BIRTH

ADULT_YEARS: Final = 18
"""Full age (Civil Code of the People's Republic of China, section 17)."""

_LENGTH = 18
_HIDDEN = "*"


def is_minor(number: str, on: date) -> bool:
    """Return whether the holder of a resident ID is certainly under 18 on the day `on`.

    `number` has 18 characters, hidden ones as `*`. The result is False for a number of any other
    length, and for a number whose known characters fit no date. A person born on 29 February comes
    of age on 1 March in a common year.
    """
    if len(number) != _LENGTH:
        return False
    year = number[6:10]
    if year.isdecimal() and int(year) + ADULT_YEARS < on.year:
        return False  # as nearly everybody, whatever the month and the day are
    earliest = next(_births(year, number[10:12], number[12:14], on.year), None)
    if earliest is None:
        return False
    born_in, month, day = earliest
    return (on.year, on.month, on.day) < (born_in + ADULT_YEARS, month, day)


def _births(year: str, month: str, day: str, last: int) -> Iterator[tuple[int, int, int]]:
    """Yield the dates that fit the known characters, the earliest first, up to the year `last`.

    A whole year may lie behind `last`: then the number is that of a person born later.
    """
    years = range(EARLIEST_BIRTH.year, last + 1)
    for one in (int(year),) if year.isdecimal() else years:
        if not (one and _fits(f"{one:04}", year)):
            continue
        for other in range(1, 13):
            if not _fits(f"{other:02}", month):
                continue
            for last_one in range(1, monthrange(one, other)[1] + 1):
                if _fits(f"{last_one:02}", day):
                    yield one, other, last_one


def _fits(text: str, known: str) -> bool:
    return all(shown in (_HIDDEN, one) for one, shown in zip(text, known, strict=True))
