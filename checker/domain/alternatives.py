"""The services that a refused subject may buy instead: of the same type, the nearest first.

A candidate is offered only if the rules allow it: `alternatives_to` decides about each candidate as
about the service itself. So an alternative that is asked next, of the same subject, place and
instant, is allowed. A fact about the subject is no choice, so a vehicle that is needed is never
offered for one that is not.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, Final, TypeVar

import msgspec

from checker.domain.decision import Decision, Outcome
from checker.domain.service import (
    Construction,
    Insurance,
    Lodging,
    OfficeLease,
    PrivateSchool,
    Rail,
    Resort,
    Service,
    Ship,
    Venue,
)
from checker.domain.service_terms import (
    CODE_OF_SEAT,
    ConstructionWork,
    NationalGrade,
    ResortVenue,
    Seat,
    ShipClass,
    TrainClass,
    VenueKind,
    digits_of,
)
from checker.domain.settings import Settings

ALTERNATIVES_MAX: Final = 3
"""A clerk reads three aloud; more would be a catalogue."""

_EMU_SEATS: Final = (Seat.SECOND, Seat.NO_SEAT)
_OTHER_SEATS: Final = (Seat.HARD_SLEEPER, Seat.SOFT_SEAT, Seat.HARD_SEAT, Seat.NO_SEAT)

_OTHERS: Final[Mapping[type, Mapping[str, object]]] = {
    Venue: {"kind": VenueKind.OTHER, "high_consumption": False},
    Resort: {"venue": ResortVenue.UNRATED},
    Construction: {"work": ConstructionWork.ORDINARY_RENOVATION},
    OfficeLease: {"high_grade": False},
}
"""Other values of the fields of a service. A service without a row has no alternative."""

_Variant = TypeVar("_Variant", bound=msgspec.Struct)


def alternatives_to(
    service: Service, settings: Settings, decide: Callable[[Service], Decision]
) -> tuple[Service, ...]:
    """Return at most `ALTERNATIVES_MAX` services that `decide` allows; empty: there is none.

    The service with the fewest changes comes first. `settings` are those of the place.
    """
    allowed: list[Service] = []
    for candidate in _candidates(service, settings):
        if decide(candidate).outcome is Outcome.ALLOW:
            allowed.append(candidate)
            if len(allowed) == ALTERNATIVES_MAX:
                break
    return tuple(allowed)


def _candidates(service: Service, settings: Settings) -> Iterator[Service]:
    match service:
        case Rail():
            return _rail(service)
        case Lodging():
            return _lodging(service)
        case Ship(ship_class=asked):
            classes = list(ShipClass)
            return (Ship(ship_class=one) for one in classes[classes.index(asked) + 1 :])
        case PrivateSchool(annual_fee_fen=fee):
            return _changed(service, annual_fee_fen=_below(fee, settings.high_school_fee_fen))
        case Insurance(annual_premium_fen=premium):
            lower = _below(premium, settings.high_premium_fen)
            return _changed(
                service, annual_premium_fen=lower, wealth_product=False, cash_value=False
            )
        case _:
            return _changed(service, **_OTHERS.get(type(service), {}))


def _rail(service: Rail) -> Iterator[Service]:
    """Yield other seats of the train, then seats of a D train for a G train, and of a K train.

    The number of another train is the number asked about: its letter alone counts.
    """
    digits = digits_of(service.train)
    trains = [(service.train, _EMU_SEATS if service.is_emu else _OTHER_SEATS)]
    if service.train_class is TrainClass.G:
        trains.append((f"D{digits}", _EMU_SEATS))
    if service.is_emu:
        trains.append((f"K{digits}", _OTHER_SEATS))
    for train, seats in trains:
        for seat in seats:
            if service.seat is msgspec.UNSET:
                candidate = Rail(train=train, seat_code=CODE_OF_SEAT[seat])
            else:
                candidate = Rail(train=train, seat=seat)
            if candidate != service:
                yield candidate


def _lodging(service: Lodging) -> Iterator[Service]:
    graded = service.national_grade in {NationalGrade.SPECIAL, NationalGrade.FIRST}
    grade = NationalGrade.SECOND if graded else service.national_grade
    return _changed(service, star_rating=0, high_consumption=False, national_grade=grade)


def _below(amount_fen: int, figure_fen: int | None) -> int:
    """Return the highest amount below the figure of the place; the amount if it is below already,
    or if there is no such figure.
    """
    return amount_fen if not figure_fen else min(amount_fen, figure_fen - 1)


def _changed(service: _Variant, **others: Any) -> Iterator[_Variant]:
    """Yield the service with one or more of the `others` in place of its own values.

    The fewest changes come first, and then the changes that are named first.
    """
    changes = {name: value for name, value in others.items() if getattr(service, name) != value}
    chosen = sorted(
        product((False, True), repeat=len(changes)),
        key=lambda made: (sum(made), [not one for one in made]),
    )
    for made in chosen[1:]:
        kept = {
            name: value
            for (name, value), is_made in zip(changes.items(), made, strict=True)
            if is_made
        }
        yield msgspec.structs.replace(service, **kept)
