"""The contract's section 3 as a table: each purchase, and which sections reach whom.

Written from the contract and the two documents, not from the code. Figures are those of the demo:
60 000 yuan a school year, 10 000 yuan of premium, 2 000 yuan at resorts.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

ALL = (
    "debtor",
    "legal_representative",
    "principal",
    "actual_controller",
    "directly_responsible",
)
DEBTOR_ONLY = ("debtor",)

SEATS = [
    "business",
    "special",
    "premier_first",
    "first",
    "second",
    "emu_sleeper",
    "deluxe_soft_sleeper",
    "soft_sleeper",
    "hard_sleeper",
    "soft_seat",
    "hard_seat",
    "no_seat",
]
SOFT_SLEEPERS = {"soft_sleeper", "deluxe_soft_sleeper", "emu_sleeper"}
FIRST_AND_ABOVE = {"first", "premier_first", "special", "business"}
EMU_BESIDES_G = {"D", "C", "S"}
TRAINS = ("G79", "D7451", "C7001", "S101", "Z1", "T8", "K511", "L100", "Y501", "1461")


class Reached(NamedTuple):
    """One section that reaches some roles, with the code it gives."""

    section: str
    roles: tuple[str, ...] = ALL
    code: str = "restricted"


class Row(NamedTuple):
    """A purchase, what the national document says of it, and what Leizhou's adds."""

    service: dict[str, Any]
    nation: Reached | None
    leizhou: Reached | None


def rows() -> Iterator[Row]:
    yield from rail_rows()
    yield Row({"type": "air", "flight": "CZ3101"}, Reached("2.7.1"), Reached("2.7.1"))
    yield Row({"type": "air", "flight": "3U8633", "cabin": "Y"}, Reached("2.7.1"), Reached("2.7.1"))
    yield from lodging_rows()
    yield from venue_rows()
    yield from tourism_rows()
    yield from threshold_rows()
    yield from property_rows()


def rail_rows() -> Iterator[Row]:
    for train in TRAINS:
        for seat in SEATS:
            restricted = (
                seat in SOFT_SLEEPERS
                or train[0] == "G"
                or (train[0] in EMU_BESIDES_G and seat in FIRST_AND_ABOVE)
            )
            reached = Reached("2.7.1") if restricted else None
            yield Row({"type": "rail", "train": train, "seat": seat}, reached, reached)


def lodging_rows() -> Iterator[Row]:
    for stars in range(6):
        for grade in (None, "special", "first", "second", "third"):
            for designated in (None, False, True):
                service = {"type": "lodging", "star_rating": stars}
                service |= {} if grade is None else {"national_grade": grade}
                service |= {} if designated is None else {"high_consumption": designated}
                local = stars >= 1 or designated is True
                national = local or grade in {"first", "special"}
                yield Row(
                    service,
                    Reached("2.7.2") if national else None,
                    Reached("2.7.2") if local else None,
                )


def venue_rows() -> Iterator[Row]:
    for kind in ("nightclub", "golf", "star_hotel", "other"):
        for designated in (None, False, True):
            service = {"type": "venue", "kind": kind}
            service |= {} if designated is None else {"high_consumption": designated}
            national = kind in {"nightclub", "golf"} or designated is True
            local = kind == "star_hotel" or designated is True
            yield Row(
                service,
                Reached("2.7.2") if national else None,
                Reached("2.7.3") if local else None,
            )


def tourism_rows() -> Iterator[Row]:
    for product in ("group_tour", "related_service"):
        tour = {"type": "outbound_tour", "product": product}
        yield Row(tour, Reached("2.7.3"), Reached("2.7.4"))
    for venue in ("rated_resort", "tourism_enterprise"):
        for amount in (0, 200_000, 200_001):
            resort = {"type": "resort", "venue": venue, "amount_fen": amount}
            yield Row(
                resort,
                Reached("2.7.3", DEBTOR_ONLY, "capped"),
                Reached("2.7.4", DEBTOR_ONLY, "capped"),
            )
    yield Row({"type": "resort", "venue": "unrated", "amount_fen": 10**12}, None, None)


def threshold_rows() -> Iterator[Row]:
    for fee in (0, 5_999_999, 6_000_000, 10**12):
        high = fee >= 6_000_000
        school = {"type": "private_school", "annual_fee_fen": fee}
        yield Row(school, Reached("2.7.4") if high else None, Reached("2.7.5") if high else None)
    for cash_value in (True, False):
        for premium in (0, 999_999, 1_000_000, 10**12):
            high = cash_value and premium >= 1_000_000
            insurance = {
                "type": "insurance",
                "cash_value": cash_value,
                "annual_premium_fen": premium,
            }
            yield Row(
                insurance, Reached("2.7.5") if high else None, Reached("2.7.6") if high else None
            )


def property_rows() -> Iterator[Row]:
    for work in ("new_build", "expansion", "luxury_renovation"):
        yield Row({"type": "construction", "work": work}, Reached("2.7.6"), Reached("2.7.7"))
    yield Row({"type": "construction", "work": "ordinary_renovation"}, None, None)
    yield Row({"type": "vehicle", "operating_necessity": True}, None, None)
    yield Row({"type": "vehicle", "operating_necessity": False}, Reached("2.7.6"), Reached("2.7.7"))
    for transaction in ("purchase", "land_use_right"):
        trade = {"type": "real_estate", "transaction": transaction}
        yield Row(trade, Reached("2.6.1"), Reached("2.6.1"))
    for transaction in ("resource_development", "state_asset_trade"):
        trade = {"type": "real_estate", "transaction": transaction}
        yield Row(trade, Reached("2.6.1", DEBTOR_ONLY), Reached("2.6.1", DEBTOR_ONLY))
