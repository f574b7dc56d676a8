"""Places of service: the country, or a code of GB/T 2260 for a province, city or county.

Only the province of a code is checked. Counties are founded and merged every year, so a table of
counties would soon be outdated. A place that no policy names has the policy of the places around.
"""

from functools import lru_cache
from typing import Final, NewType

from checker.domain.errors import InvalidJurisdiction

Jurisdiction = NewType("Jurisdiction", str)
"""`CN`, or 2, 4 or 6 digits that do not end in `00`."""

NATION: Final = Jurisdiction("CN")

_PROVINCES_BY_REGION = (
    range(11, 16),
    range(21, 24),
    range(31, 38),
    range(41, 47),
    range(50, 55),
    range(61, 66),
    (71, 81, 82),
)
_PROVINCES = frozenset(str(code) for region in _PROVINCES_BY_REGION for code in region)
_LENGTHS = frozenset({2, 4, 6})
PLACES_REMEMBERED: Final = 4096
"""Places whose codes are read once; there are 3 300 counties, cities and provinces."""


# A million spellings that are wrong are not remembered: an error is raised anew each time.
@lru_cache(maxsize=PLACES_REMEMBERED)
def parse_jurisdiction(text: str) -> Jurisdiction:
    """Return the place of a code: `440800` is the city `4408`, `440000` the province `44`.

    Raises `InvalidJurisdiction`.
    """
    if text == NATION:
        return NATION
    if len(text) not in _LENGTHS or not (text.isascii() and text.isdigit()):
        raise InvalidJurisdiction
    code = text
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    if code[:2] not in _PROVINCES or code[2:4] == "00":
        raise InvalidJurisdiction
    return Jurisdiction(code)


def path(jurisdiction: Jurisdiction) -> tuple[Jurisdiction, ...]:
    """Return the places whose policies hold in a place, the widest first: CN, 44, 4408, 440882."""
    if jurisdiction == NATION:
        return (NATION,)
    parts = (jurisdiction[:end] for end in range(2, len(jurisdiction) + 1, 2))
    return (NATION, *map(Jurisdiction, parts))
