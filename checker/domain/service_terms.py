"""The words and bounds of the fields that services have.

Each field that a measure may look at is a closed set, a whole number or a boolean.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

AMOUNT_MAX_FEN: Final = 10**12
"""Ten thousand million yuan: above any real price, and exact in every number format."""

Fen = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX_FEN)]
"""A whole number of fen (分), 1/100 yuan."""


class TrainClass(StrEnum):
    """The class by the letter of a train number (车次). A number without a letter is ordinary."""

    G = "G"
    D = "D"
    C = "C"
    S = "S"
    Z = "Z"
    T = "T"
    K = "K"
    L = "L"
    Y = "Y"
    ORDINARY = "ordinary"


class Seat(StrEnum):
    """Seats and berths of a train."""

    BUSINESS = "business"
    SPECIAL = "special"
    PREMIER_FIRST = "premier_first"
    FIRST = "first"
    SECOND = "second"
    EMU_SLEEPER = "emu_sleeper"
    DELUXE_SOFT_SLEEPER = "deluxe_soft_sleeper"
    SOFT_SLEEPER = "soft_sleeper"
    HARD_SLEEPER = "hard_sleeper"
    SOFT_SEAT = "soft_seat"
    HARD_SEAT = "hard_seat"
    NO_SEAT = "no_seat"


class NationalGrade(StrEnum):
    """The grade (国家级) of a place of lodging, where it has one."""

    SPECIAL = "special"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"


class VenueKind(StrEnum):
    """Kinds of venues. A star hotel here means its restaurants and entertainment."""

    NIGHTCLUB = "nightclub"
    GOLF = "golf"
    STAR_HOTEL = "star_hotel"
    OTHER = "other"


class TourProduct(StrEnum):
    """Products of a travel agency for a journey abroad."""

    GROUP_TOUR = "group_tour"
    RELATED_SERVICE = "related_service"


class ResortVenue(StrEnum):
    """Places of tourism, by whether spending there is capped."""

    RATED_RESORT = "rated_resort"
    TOURISM_ENTERPRISE = "tourism_enterprise"
    UNRATED = "unrated"


class ConstructionWork(StrEnum):
    """Kinds of building work."""

    NEW_BUILD = "new_build"
    EXPANSION = "expansion"
    LUXURY_RENOVATION = "luxury_renovation"
    ORDINARY_RENOVATION = "ordinary_renovation"


class Transaction(StrEnum):
    """Transactions with land, buildings, resources or state assets."""

    PURCHASE = "purchase"
    LAND_USE_RIGHT = "land_use_right"
    RESOURCE_DEVELOPMENT = "resource_development"
    STATE_ASSET_TRADE = "state_asset_trade"


def _either_width(letters: str) -> str:
    both_cases = letters + letters.lower()
    return both_cases + "".join(chr(ord(letter) + 0xFEE0) for letter in both_cases)


_DIGIT = "[0-9０-９]"
_GAP = r"[\s\-]*"
_CLASS_LETTERS = _either_width("".join(letter for letter in TrainClass if len(letter) == 1))

# A number may name both directions of one run (`G1234/5`); the class is that of the first.
TRAIN_PATTERN: Final = rf"^\s*[{_CLASS_LETTERS}]?{_GAP}{_DIGIT}{{1,5}}(?:[/／]{_DIGIT}{{1,4}})?\s*$"
# Two characters by IATA or three by ICAO, up to four digits, sometimes a letter behind.
FLIGHT_PATTERN: Final = (
    rf"^\s*[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]{{2,3}}{_GAP}{_DIGIT}{{1,4}}[A-Za-zＡ-Ｚａ-ｚ]?\s*$"
)

TrainNumber = Annotated[str, msgspec.Meta(max_length=16, pattern=TRAIN_PATTERN)]
FlightNumber = Annotated[str, msgspec.Meta(max_length=16, pattern=FLIGHT_PATTERN)]
Cabin = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
StarRating = Annotated[int, msgspec.Meta(ge=0, le=5)]
