"""Numbers of documents as their authorities would issue them, each its holder's own, from a seed.

Knows check digits and the layout of numbers; knows nothing of lists. Written from the standards and
not from the service's code, so that the two check each other.

    resident ID (GB 11643)   county 6 | birth date 8 | sequence 3 (odd: male) | check 1
    the old one of 15        county 6 | birth date without century 6 | sequence 3
    org code (GB 11714)      body 8 | check 1
    uscc (GB 32100)          authority and kind 2 | county 6 | org code 9 | check 1
    foreigner's, since 2023  9 | province 2 | nationality 3 | birth date 8 | sequence 3 | check 1

All people are born in 1850 to 1905: no living person has such a number. Within the resident IDs,
(county, year, sequence) alone is one-to-one with the person, so that even a number whose month and
day are hidden fits one person.
"""

from enum import StrEnum
from random import Random

import msgspec

from loadtest.draw import scatter

CAPACITY = 100_000_000
"""Holders that one seed has numbers for: the shortest number has eight digits."""

FIRST_BIRTH_YEAR = 1850
LAST_BIRTH_YEAR = 1905
FIRST_YEAR_OF_15_DIGITS = 1900

_YEARS = LAST_BIRTH_YEAR - FIRST_BIRTH_YEAR + 1
_SEQUENCES = 999
_PROVINCES = tuple(
    """
    11 12 13 14 15 21 22 23 31 32 33 34 35 36 37
    41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65
    """.split()
)
COUNTIES = tuple(
    f"{province}{prefecture:02}{county}"
    for province in _PROVINCES
    for prefecture in range(1, 10)
    for county in ("02", "03", "04", "21", "22", "23", "24", "81", "82", "83")
)
_NATIONALITIES = ("036", "124", "250", "276", "360", "392", "410", "458", "702", "840")
_DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
BIRTHDAYS = tuple(
    f"{month:02}{day:02}"
    for month, days in enumerate(_DAYS_OF_MONTH, 1)
    for day in range(1, days + 1)
)
"""Month and day; 29 February is left out, so that every day fits every year."""

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {letter: value for value, letter in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_PASSPORT_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class SyntheticDocumentType(StrEnum):
    """The kinds of document that a check takes (contract, section 2)."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_PERMANENT_RESIDENT_ID = "foreign_permanent_resident_id"
    EXIT_ENTRY_PERMIT = "exit_entry_permit"
    USCC = "uscc"
    ORG_CODE = "org_code"


class SyntheticDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document's kind and number, as somebody wrote them."""

    type: SyntheticDocumentType
    number: str


def resident_check_digit(body: str) -> str:
    """Return the 18th character for the first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, body, strict=True))
    return _RESIDENT_CHECKS[total % 11]


def org_code_check_character(body: str) -> str:
    """Return the ninth character for the first eight, letters counted from A = 10 (GB 11714)."""
    total = sum(weight * int(letter, 36) for weight, letter in zip(_ORG_WEIGHTS, body, strict=True))
    return "0123456789X0"[11 - total % 11]


def uscc_check_character(body: str) -> str:
    """Return the 18th character for the first 17 (GB 32100, section 4)."""
    total = sum(
        weight * _USCC_VALUES[letter] for weight, letter in zip(_USCC_WEIGHTS, body, strict=True)
    )
    return _USCC_ALPHABET[-total % 31]


class NumberSpace:
    """Every number of one seed.

    An index in `range(CAPACITY)` has one number of each kind, and shares it with no other index.
    """

    def __init__(self, seed: int) -> None:
        rng = Random(seed)
        self._resident = scatter(rng, len(COUNTIES) * _YEARS * _SEQUENCES)
        self._foreigner = scatter(
            rng, len(_PROVINCES) * len(_NATIONALITIES) * len(BIRTHDAYS) * _YEARS * _SEQUENCES
        )
        self._passport = scatter(rng, len(_PASSPORT_LETTERS) * 10**7)
        self._permit = scatter(rng, CAPACITY)
        self._numeric_org = scatter(rng, 10**8)
        self._lettered_org = scatter(rng, 31**6)

    def resident_id(self, index: int, birthday: str) -> str:
        """Return a resident ID (居民身份证); the birthday is free, the rest is the index's own."""
        place, sequence = divmod(self._resident(index), _SEQUENCES)
        county, year = divmod(place, _YEARS)
        body = f"{COUNTIES[county]}{FIRST_BIRTH_YEAR + year}{birthday}{sequence + 1:03}"
        return body + resident_check_digit(body)

    def foreign_permanent_resident_id(self, index: int) -> str:
        """Return a foreigner's ID (外国人永久居留身份证) as issued since December 2023."""
        place, sequence = divmod(self._foreigner(index), _SEQUENCES)
        place, year = divmod(place, _YEARS)
        place, birthday = divmod(place, len(BIRTHDAYS))
        province, nationality = divmod(place, len(_NATIONALITIES))
        body = (
            f"9{_PROVINCES[province]}{_NATIONALITIES[nationality]}"
            f"{FIRST_BIRTH_YEAR + year}{BIRTHDAYS[birthday]}{sequence + 1:03}"
        )
        return body + resident_check_digit(body)

    def passport(self, index: int) -> str:
        """Return an ordinary passport's number: E, a letter, seven digits."""
        letter, digits = divmod(self._passport(index), 10**7)
        return f"E{_PASSPORT_LETTERS[letter]}{digits:07}"

    def hk_macao_permit(self, index: int) -> str:
        """Return a home-return permit's number (港澳居民来往内地通行证): H or M, eight digits."""
        return f"{'HM'[index % 2]}{self._permit(index):08}"

    def taiwan_permit(self, index: int) -> str:
        """Return the eight digits of a Taiwan resident's permit (台湾居民来往大陆通行证)."""
        return f"{self._permit(index):08}"

    def org_code(self, index: int) -> str:
        """Return the nine characters of an organization code (组织机构代码), without the hyphen.

        Half are of digits, as they were issued before 2015, half begin with MA, as since then.
        """
        if index % 2:
            value = self._lettered_org(index)
            body = "MA" + "".join(_USCC_ALPHABET[value // 31**place % 31] for place in range(6))
        else:
            body = f"{self._numeric_org(index):08}"
        return body + org_code_check_character(body)

    def uscc(self, index: int) -> str:
        """Return a company's uscc (统一社会信用代码); it holds the index's organization code."""
        body = f"91{COUNTIES[self._permit(index) % len(COUNTIES)]}{self.org_code(index)}"
        return body + uscc_check_character(body)


def birth_year(resident_id: str) -> int:
    """Read the year of birth out of 18 characters."""
    return int(resident_id[6:10])


def is_female(resident_id: str) -> bool:
    """Read the sex out of 18 characters: the 17th is even."""
    return int(resident_id[16]) % 2 == 0


def without_century(resident_id: str) -> str:
    """Return the old 15 digits; ValueError for a birth before 1900."""
    if birth_year(resident_id) < FIRST_YEAR_OF_15_DIGITS:
        raise ValueError("15 digits hold only births since 1900")
    return resident_id[:6] + resident_id[8:17]
