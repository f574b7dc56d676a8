"""Numbers of organizations: uscc (统一社会信用代码) and the org code (组织机构代码) inside it.

GB 32100-2015, 18 characters of 0-9 and A-Z without I, O, S, V, Z:

    characters 1-2    registering authority and category of organization (`USCC_BEGINNINGS`)
    characters 3-8    place of registration, GB/T 2260
    characters 9-17   organization code, GB 11714: eight characters and a check character
    character 18      check character over the other 17

The check character of the inner code is checked for an `org_code` alone: some registration offices
issued usccs whose inner code does not obey GB 11714, and these usccs are in use.
"""

import re
from typing import Final

from stdnum.cn import uscc

from checker.domain.errors import InvalidDocument, InvalidReason

ORG_CODE: Final = slice(8, 17)
"""The place of the organization code in a uscc."""

USCC_ALPHABET: Final = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")

_CATEGORIES: Final = {
    "1": "1239",  # staffing of public bodies: organ, public institution, mass organization
    "2": "19",  # foreign affairs: press office of another country
    "3": "123459",  # justice: law firm, notary, legal service, forensic expert, arbitration
    "4": "19",  # culture: cultural centre of another country
    "5": "123459",  # civil affairs: association, private non-enterprise, foundation, committee
    "6": "129",  # tourism: office of another country's or region's tourism authority
    "7": "129",  # religion: place of worship, seminary
    "8": "19",  # trade unions
    "9": "123",  # market supervision: enterprise, sole trader, farmers' cooperative
    "A": "19",  # Central Military Commission: institution of the armed forces
    "N": "1239",  # agriculture: collective of a group, village, township
    "Y": "1",  # others
}
"""The categories of each registering authority; 9 is any other category.

Source: GB 32100-2015, table of codes, with its amendment No. 1 of 2016. The committees of residents
and of villagers, 54 and 55, are categories that the authority for civil affairs added later.
"""

USCC_BEGINNINGS: Final = frozenset(
    authority + category for authority, categories in _CATEGORIES.items() for category in categories
)
"""The first two characters that a uscc may have."""

# python-stdnum wants a digit in front, which refuses rural collectives; its check is used alone.
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")
_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def canonical_uscc(number: str) -> str:
    """Return a compact `number` if it is a uscc.

    Raises `InvalidDocument`: length, character, check digit, in this order.
    """
    if len(number) != 18:
        raise InvalidDocument(InvalidReason.LENGTH)
    if _USCC.fullmatch(number) is None or number[:2] not in USCC_BEGINNINGS:
        raise InvalidDocument(InvalidReason.CHARACTER)
    if uscc.calc_check_digit(number) != number[17]:
        raise InvalidDocument(InvalidReason.CHECK_DIGIT)
    return number


def canonical_org_code(number: str) -> str:
    """Return a compact `number` if it is an organization code.

    Raises `InvalidDocument`: length, character, check digit, in this order.
    """
    if len(number) != 9:
        raise InvalidDocument(InvalidReason.LENGTH)
    if _CODE.fullmatch(number) is None:
        raise InvalidDocument(InvalidReason.CHARACTER)
    if org_code_check_character(number) != number[8]:
        raise InvalidDocument(InvalidReason.CHECK_DIGIT)
    return number


def org_code_check_character(number: str) -> str:
    """Return the ninth character for the first eight: 11 minus the weighted sum mod 11."""
    total = sum(
        weight * int(character, 36)
        for weight, character in zip(_CODE_WEIGHTS, number[:8], strict=True)
    )
    return "0X987654321"[total % 11]
