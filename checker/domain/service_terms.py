"""The words and bounds of the fields that services have.

Each field that a measure may look at is a closed set, a whole number or a boolean.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

import msgspec

from checker.domain.text import compact

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


EMU_CLASSES: Final = frozenset({TrainClass.G, TrainClass.D, TrainClass.C, TrainClass.S})
"""Multiple units (动车组)."""

_STRICTNESS: Final = {
    one: 2 if one is TrainClass.G else 1 if one in EMU_CLASSES else 0 for one in TrainClass
}
"""The law bars every seat of G trains, and the better seats of other EMU trains."""


class Seat(StrEnum):
    """Seats and berths of a train."""

    BUSINESS = "business"
    SPECIAL = "special"
    PREMIER_FIRST = "premier_first"
    FIRST = "first"
    SECOND = "second"
    SECOND_COMPARTMENT = "second_compartment"
    EMU_SLEEPER = "emu_sleeper"
    DELUXE_EMU_SLEEPER = "deluxe_emu_sleeper"
    FIRST_SLEEPER = "first_sleeper"
    SECOND_SLEEPER = "second_sleeper"
    DELUXE_SOFT_SLEEPER = "deluxe_soft_sleeper"
    SOFT_SLEEPER = "soft_sleeper"
    HARD_SLEEPER = "hard_sleeper"
    SOFT_SEAT = "soft_seat"
    HARD_SEAT = "hard_seat"
    NO_SEAT = "no_seat"


class SeatCode(StrEnum):
    """The codes of seats and berths, as ticketing systems write them."""

    BUSINESS = "9"
    SPECIAL = "P"
    PREMIER_FIRST = "D"
    FIRST = "M"
    SECOND = "O"
    SECOND_COMPARTMENT = "S"
    EMU_SLEEPER = "F"
    DELUXE_EMU_SLEEPER = "A"
    FIRST_SLEEPER = "I"
    SECOND_SLEEPER = "J"
    DELUXE_SOFT_SLEEPER = "6"
    SOFT_SLEEPER = "4"
    HARD_SLEEPER = "3"
    SOFT_SEAT = "2"
    HARD_SEAT = "1"
    NO_SEAT = "W"


SEAT_OF_CODE: Final[Mapping[SeatCode, Seat]] = {code: Seat[code.name] for code in SeatCode}
CODE_OF_SEAT: Final[Mapping[Seat, SeatCode]] = {seat: code for code, seat in SEAT_OF_CODE.items()}


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


class DomesticProduct(StrEnum):
    """Products of a travel agency for a journey within the country."""

    GROUP_TOUR = "group_tour"
    HOLIDAY_PACKAGE = "holiday_package"
    RELATED_SERVICE = "related_service"


class ShipClass(StrEnum):
    """Classes of berths and seats on a ship, the best first."""

    SPECIAL = "special"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    FOURTH = "fourth"
    FIFTH = "fifth"
    DECK = "deck"


class Premises(StrEnum):
    """Kinds of places that are let for an office."""

    OFFICE_BUILDING = "office_building"
    HOTEL = "hotel"
    APARTMENT = "apartment"
    OTHER = "other"


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
_CLASSES = "".join(letter for letter in TrainClass if len(letter) == 1)
_CLASS_LETTERS = _either_width(_CLASSES)

_NUMBER = rf"[{_CLASS_LETTERS}]?{_GAP}{_DIGIT}{{1,5}}"
# One run may have several numbers (`G1234/5`, `C3330/C3331`, `K1236/1237/1240`), and 次 behind.
TRAIN_PATTERN: Final = rf"^\s*{_NUMBER}(?:\s*[/／]\s*{_NUMBER}){{0,3}}[\s次]*$"
# Two characters by IATA or three by ICAO, up to four digits, sometimes a letter behind.
FLIGHT_PATTERN: Final = (
    rf"^\s*[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]{{2,3}}{_GAP}{_DIGIT}{{1,4}}[A-Za-zＡ-Ｚａ-ｚ]?\s*$"
)

TrainNumber = Annotated[str, msgspec.Meta(max_length=40, pattern=TRAIN_PATTERN)]
FlightNumber = Annotated[str, msgspec.Meta(max_length=16, pattern=FLIGHT_PATTERN)]
Cabin = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
StarRating = Annotated[int, msgspec.Meta(ge=0, le=5)]


TRAINS_REMEMBERED: Final = 16_384
"""Train numbers with their classes: more than run in a day. Each clause of a measure asks anew."""


def digits_of(train: str) -> str:
    """Return the digits of a train number, of the first one if the train has several."""
    first = compact(train).rstrip("次").partition("/")[0]
    return first.lstrip(_CLASSES)


@lru_cache(maxsize=TRAINS_REMEMBERED)
def strictest_class(train: str) -> TrainClass:
    """Return the class of a train number, in any width and case.

    A further number without a letter has the letter of the number before. A train with numbers of
    two classes has the class that the law treats more strictly.
    """
    classes: list[TrainClass] = []
    for number in compact(train).rstrip("次").split("/"):
        if not number[0].isdigit():
            classes.append(TrainClass(number[0]))
        elif not classes:
            classes.append(TrainClass.ORDINARY)
    return max(classes, key=_STRICTNESS.__getitem__)
