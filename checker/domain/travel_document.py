"""Numbers of passports, permits and residence cards.

Strict where the rule is published, lenient elsewhere, because a wrong refusal harms a person at a
counter. A number that no authority issues (another alphabet, an absurd length) is still refused,
because a number that can be on no list must not be answered "not listed".

    passport (护照)             5-9 letters and digits: ICAO Doc 9303 has room for nine, and no
                                state is known to number in letters alone
    hk_macao_permit             H or M and eight digits for life; cards of 1999-2013 show two more
      (港澳居民来往内地通行证)  for the issue (Ministry of Public Security, 10 March 2010). Cards
                                since July 2024 may have HA or MA and seven digits
    taiwan_permit               eight digits for life; booklets of 1992-2008 show two more for the
      (台湾居民来往大陆通行证)  issue and the authority's letter or digit in brackets
      (大陆居民往来台湾通行证)  a letter (L card, T booklet) and eight digits
    exit_entry_permit           往来港澳通行证: C, a letter or digit, seven digits, or W and eight
                                digits; 出入境通行证 is published nowhere, so up to three letters
                                and six to nine digits pass
    foreign_permanent_          until 2023 three letters for the state, four digits for the place,
      resident_id               YYMMDD, two digits more; since then 18 characters that begin with
      (外国人永久居留身份证)    9, birth date and check digit as on a resident ID

Digits that change with each issue are dropped: a list has the number that stays for life.
"""

import re
from datetime import date
from typing import Final

import msgspec

from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.resident_id import canonical_resident_id


class NumberForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the numbers of one kind. The group `life` of the pattern lasts for life."""

    lengths: frozenset[int]
    pattern: re.Pattern[str]

    def canonical(self, number: str) -> str:
        """Return the lasting part of a compact `number`. Raises `InvalidDocument`."""
        if len(number) not in self.lengths:
            raise InvalidDocument(InvalidReason.LENGTH)
        match = self.pattern.fullmatch(number)
        if match is None:
            raise InvalidDocument(InvalidReason.CHARACTER)
        return match["life"]


PASSPORT: Final = NumberForm(
    lengths=frozenset(range(5, 10)),
    pattern=re.compile(r"(?P<life>(?=[A-Z]*[0-9])[A-Z0-9]+)"),
)
HK_MACAO_PERMIT: Final = NumberForm(
    lengths=frozenset({9, 11}),
    pattern=re.compile(r"(?P<life>[HM]A[0-9]{7}\Z|[HM][0-9]{8})(?:[0-9]{2})?"),
)
TAIWAN_PERMIT: Final = NumberForm(
    lengths=frozenset({8, 9, 10, 11, 13}),
    pattern=re.compile(
        r"(?P<life>[0-9]{8}|[A-Z][0-9]{8}\Z)(?:[0-9]{2}(?:[A-Z0-9]|\([A-Z0-9]\))?)?"
    ),
)
EXIT_ENTRY_PERMIT: Final = NumberForm(
    lengths=frozenset(range(7, 11)),
    pattern=re.compile(r"(?P<life>[A-Z]{0,3}[0-9]{6,9})"),
)

_PERMANENT_RESIDENT = NumberForm(
    lengths=frozenset({15}),
    pattern=re.compile(r"(?P<life>[A-Z]{3}[0-9]{12})"),
)


def canonical_permanent_resident_id(number: str, today: date) -> str:
    """Return a compact `number` of 15 or 18 characters if it is the number of a residence card.

    Raises `InvalidDocument`. The last digit of the older form is not checked: its rule was never
    published.
    """
    if len(number) == 18:
        if number[0] != "9":
            raise InvalidDocument(InvalidReason.CHARACTER)
        return canonical_resident_id(number, today)
    number = _PERMANENT_RESIDENT.canonical(number)
    if not any(_was(century, number[7:13], today) for century in ("19", "20")):
        raise InvalidDocument(InvalidReason.BIRTH_DATE)
    return number


def _was(century: str, yymmdd: str, today: date) -> bool:
    try:
        born = date(int(century + yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return False
    return born <= today
