"""Resident ID (居民身份证) numbers, GB 11643-1999.

    characters 1-6    code of the county of issue, GB/T 2260
    characters 7-14   birth date, YYYYMMDD
    characters 15-17  sequence; odd for men, even for women
    character 18      check digit over the other 17, ISO 7064 MOD 11-2, X for ten

The county code is not looked up. It names the county of issue, often decades after birth, and
often an abolished county. A validator that compares the county with the year of birth refuses
genuine numbers. The 15 digits of GB 11643-1989 have a year of two digits and no check digit; they
are upgraded with century 19, as the police did.
"""

import re
from datetime import date
from operator import mul
from typing import Final

from checker.domain.errors import InvalidDocument, InvalidReason

EARLIEST_BIRTH: Final = date(1800, 1, 1)

_FULL = re.compile(r"[0-9]{17}[0-9X]")
_OLD = re.compile(r"[0-9]{15}")
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
REMAINDERS: Final = "10X98765432"
# The weights are the powers of two modulo 11, the last one 2. So the sum of three digits that stand
# side by side is the same wherever they stand, times a power of two.
_THREE: Final = {
    f"{number:03}": sum(map(mul, (8, 4, 2), map(int, f"{number:03}"))) for number in range(1000)
}


def canonical_resident_id(number: str, today: date) -> str:
    """Return the 18 characters of a compact `number` of 18 or 15.

    Raises `InvalidDocument`: length, character, check digit, birth date (no date, before 1800, or
    after `today`, the day in Asia/Shanghai), in this order.
    """
    if len(number) == 15:
        number = _upgraded(number)
    elif len(number) != 18:
        raise InvalidDocument(InvalidReason.LENGTH)
    elif _FULL.fullmatch(number) is None:
        raise InvalidDocument(InvalidReason.CHARACTER)
    elif check_digit(number) != number[17]:
        raise InvalidDocument(InvalidReason.CHECK_DIGIT)
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InvalidDocument(InvalidReason.BIRTH_DATE) from None
    if not EARLIEST_BIRTH <= born <= today:
        raise InvalidDocument(InvalidReason.BIRTH_DATE)
    return number


def check_digit(number: str) -> str:
    """Return the 18th character for the first 17 digits of `number`."""
    three = _THREE
    total = (
        three[number[0:3]] * 2**14
        + three[number[3:6]] * 2**11
        + three[number[6:9]] * 2**8
        + three[number[9:12]] * 2**5
        + three[number[12:15]] * 2**2
        + three["0" + number[15:17]]
    )
    return REMAINDERS[total % 11]


def _upgraded(number: str) -> str:
    if _OLD.fullmatch(number) is None:
        raise InvalidDocument(InvalidReason.CHARACTER)
    body = f"{number[:6]}19{number[6:]}"
    return body + check_digit(body)
