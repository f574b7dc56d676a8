"""The contract's sections 3, 3a and 3b as a table: each service, and which sections reach whom.

Written from the contract and the documents, not from the code. Figures are those of the demo:
60 000 yuan a school year, 10 000 yuan of premium, 2 000 yuan at resorts.
"""

from collections.abc import Iterator
from typing import Any

from tests.support.matter_table import matter_rows
from tests.support.measure_row import DEBTOR_ONLY, Reached, Row

FEE, PREMIUM, CAP = 6_000_000, 1_000_000, 200_000

SEAT_CODES = {
    "business": "9",
    "special": "P",
    "premier_first": "D",
    "first": "M",
    "second": "O",
    "second_compartment": "S",
    "deluxe_emu_sleeper": "A",
    "emu_sleeper": "F",
    "first_sleeper": "I",
    "second_sleeper": "J",
    "deluxe_soft_sleeper": "6",
    "soft_sleeper": "4",
    "hard_sleeper": "3",
    "soft_seat": "2",
    "hard_seat": "1",
    "no_seat": "W",
}
# On trains without a G, D, C or S, a first-class sleeper counts as a soft sleeper.
SOFT_SLEEPERS = {
    "soft_sleeper",
    "deluxe_soft_sleeper",
    "emu_sleeper",
    "deluxe_emu_sleeper",
    "first_sleeper",
}
FIRST_AND_ABOVE = {"first", "premier_first", "special", "business"}
EMU_BESIDES_G = {"D", "C", "S"}
# A train, and the letter that decides: the stricter one where a train has two numbers.
TRAINS = {
    "G79": "G",
    "D7451": "D",
    "C7001": "C",
    "S101": "S",
    "Z1": "Z",
    "T8": "T",
    "K511": "K",
    "L100": "L",
    "Y501": "Y",
    "1461": "",
    "C3330/C3331": "C",
    "G79/G80": "G",
    "G1234/5": "G",
    "K1112/K1113": "K",
    "K1112/K1113次": "K",
    "1461/G2": "G",
    "K51/D52 次": "D",
    "D51/52/G53": "G",
}


def rows() -> Iterator[Row]:
    yield from rail_rows()
    for flight in ({"flight": "CZ3101"}, {"flight": "3U8633", "cabin": "Y"}):
        yield same({"type": "air", **flight}, Reached("2.7.1"), order=(Reached("3.1"),))
    yield from lodging_rows()
    yield from venue_rows()
    yield from tourism_rows()
    yield from threshold_rows()
    yield from property_rows()
    yield from order_rows()
    yield from matter_rows()


def same(
    service: dict[str, Any], reached: Reached | None, *, order: tuple[Reached, ...] = ()
) -> Row:
    """A row of which both documents say the same, under the same number."""
    return Row(service, reached, reached, order)


def rail_rows() -> Iterator[Row]:
    for train, letter in TRAINS.items():
        for seat, code in SEAT_CODES.items():
            for spelt in ({"seat": seat}, {"seat_code": code}):
                service = {"type": "rail", "train": train, **spelt}
                yield same(service, rail(letter, seat), order=rail_by_order(letter, seat))


def rail(letter: str, seat: str) -> Reached | None:
    is_emu = letter in EMU_BESIDES_G
    if letter == "G" or seat in SOFT_SLEEPERS or (is_emu and seat in FIRST_AND_ABOVE):
        return Reached("2.7.1")
    if (is_emu and seat == "second_sleeper") or (not is_emu and seat in FIRST_AND_ABOVE):
        return Reached("2.7.1", code="seat_unclear")
    return None


def rail_by_order(letter: str, seat: str) -> tuple[Reached, ...]:
    reached = []
    if seat in SOFT_SLEEPERS:
        reached.append(Reached("3.1"))
    elif letter in EMU_BESIDES_G and seat == "second_sleeper":
        reached.append(Reached("3.1", code="seat_unclear"))
    if letter == "G" or (letter in EMU_BESIDES_G and seat in FIRST_AND_ABOVE):
        reached.append(Reached("3.9"))
    elif seat in FIRST_AND_ABOVE:
        reached.append(Reached("3.9", code="seat_unclear"))
    return tuple(reached)


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
                    (Reached("3.2"),) if stars >= 1 else (),
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
                (Reached("3.2"),) if kind != "other" or designated is True else (),
            )


def tourism_rows() -> Iterator[Row]:
    for product in ("group_tour", "related_service"):
        tour = {"type": "outbound_tour", "product": product}
        yield Row(tour, Reached("2.7.3"), Reached("2.7.4"), (Reached("3.6"),))
    for venue in ("rated_resort", "tourism_enterprise"):
        for amount in (0, CAP, CAP + 1):
            yield Row(
                {"type": "resort", "venue": venue, "amount_fen": amount},
                Reached("2.7.3", DEBTOR_ONLY, "capped"),
                Reached("2.7.4", DEBTOR_ONLY, "capped"),
                (Reached("3.6"),),
            )
    yield same({"type": "resort", "venue": "unrated", "amount_fen": 10**12}, None)


def threshold_rows() -> Iterator[Row]:
    for fee in (0, FEE - 1, FEE, 10**12):
        school = {"type": "private_school", "annual_fee_fen": fee}
        if fee >= FEE:
            yield Row(school, Reached("2.7.4"), Reached("2.7.5"), (Reached("3.7"),))
        else:
            yield same(school, None)
    for cash_value in (True, False):
        for wealth in (None, False, True):
            for premium in (0, PREMIUM - 1, PREMIUM, 10**12):
                insurance = {
                    "type": "insurance",
                    "cash_value": cash_value,
                    "annual_premium_fen": premium,
                }
                insurance |= {} if wealth is None else {"wealth_product": wealth}
                high = premium >= PREMIUM
                yield Row(
                    insurance,
                    Reached("2.7.5") if cash_value and high else None,
                    Reached("2.7.6") if cash_value and high else None,
                    (Reached("3.8"),) if wealth is True and high else (),
                )


def property_rows() -> Iterator[Row]:
    for work in ("new_build", "expansion", "luxury_renovation"):
        construction = {"type": "construction", "work": work}
        yield Row(construction, Reached("2.7.6"), Reached("2.7.7"), (Reached("3.3"),))
    yield same({"type": "construction", "work": "ordinary_renovation"}, None)
    yield same({"type": "vehicle", "operating_necessity": True}, None)
    needless = {"type": "vehicle", "operating_necessity": False}
    yield Row(needless, Reached("2.7.6"), Reached("2.7.7"), (Reached("3.5"),))
    for transaction in ("purchase", "land_use_right"):
        trade = {"type": "real_estate", "transaction": transaction}
        by_order = (Reached("3.3"),) if transaction == "purchase" else ()
        yield same(trade, Reached("2.6.1"), order=by_order)
    for transaction in ("resource_development", "state_asset_trade"):
        trade = {"type": "real_estate", "transaction": transaction}
        yield same(trade, Reached("2.6.1", DEBTOR_ONLY))


def order_rows() -> Iterator[Row]:
    """Services that an order alone restricts."""
    for ship_class in ("special", "first", "second"):
        yield same({"type": "ship", "class": ship_class}, None, order=(Reached("3.1"),))
    for ship_class in ("third", "fourth", "fifth", "deck"):
        yield same({"type": "ship", "class": ship_class}, None)
    for product in ("group_tour", "holiday_package", "related_service"):
        yield same({"type": "domestic_tour", "product": product}, None, order=(Reached("3.6"),))
    for premises in ("office_building", "hotel", "apartment", "other"):
        for high_grade in (True, False):
            lease = {"type": "office_lease", "premises": premises, "high_grade": high_grade}
            yield same(lease, None, order=(Reached("3.4"),) if high_grade else ())
