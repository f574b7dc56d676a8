"""Every service that differs in a field which could matter to a measure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product

from msgspec import UNSET

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.matter import Matter
from checker.domain.service import (
    Air,
    Construction,
    DomesticTour,
    Insurance,
    Lodging,
    MatterAsked,
    OfficeLease,
    OutboundTour,
    PrivateSchool,
    Rail,
    RealEstate,
    Resort,
    Service,
    Ship,
    Vehicle,
    Venue,
)
from checker.domain.service_terms import (
    ConstructionWork,
    DomesticProduct,
    NationalGrade,
    Premises,
    ResortVenue,
    Seat,
    ShipClass,
    TourProduct,
    TrainClass,
    Transaction,
    VenueKind,
)
from checker.domain.settings import Settings
from checker.domain.standing import ListingRef

TRAINS = dict(
    zip(
        TrainClass,
        ("G79", "D7451", "C7001", "S101", "Z1", "T8", "K511", "L100", "Y501", "1461"),
        strict=True,
    )
)
RESORTS = (ResortVenue.RATED_RESORT, ResortVenue.TOURISM_ENTERPRISE)
FEE, PREMIUM, CAP = 6_000_000, 1_000_000, 200_000
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
SET = {
    NATION: Settings(
        high_school_fee_fen=FEE,
        high_premium_fen=PREMIUM,
        resort_cap_fen=CAP,
        resort_cap_period=CapPeriod.MONTH,
    )
}
LEIZHOU = parse_jurisdiction("440882")
LISTING = ListingRef(
    id="1",
    case_number="（2016）粤0882执123号",
    court="雷州市人民法院",
    published_on=date(2016, 7, 7),
)


def services() -> Iterator[Service]:
    """Give every service that differs in a field which could matter."""
    either = (False, True)
    for letter, seat in product(TrainClass, Seat):
        yield Rail(train=TRAINS[letter], seat=seat)
    yield Air(flight="CZ3101")
    for stars, grade, high in product(range(6), (UNSET, *NationalGrade), either):
        yield Lodging(star_rating=stars, national_grade=grade, high_consumption=high)
    for kind, high in product(VenueKind, either):
        yield Venue(kind=kind, high_consumption=high)
    yield from (OutboundTour(product=one) for one in TourProduct)
    yield from (Resort(venue=one, amount_fen=CAP) for one in RESORTS)
    yield from (PrivateSchool(annual_fee_fen=fee) for fee in (0, FEE - 1, FEE))
    for cash_value, wealth, premium in product(either, either, (0, PREMIUM - 1, PREMIUM)):
        yield Insurance(cash_value=cash_value, annual_premium_fen=premium, wealth_product=wealth)
    yield from (Construction(work=one) for one in ConstructionWork)
    yield from (Vehicle(operating_necessity=one) for one in either)
    yield from (RealEstate(transaction=one) for one in Transaction)
    yield from (Ship(ship_class=one) for one in ShipClass)
    yield from (DomesticTour(product=one) for one in DomesticProduct)
    for premises, high in product(Premises, either):
        yield OfficeLease(premises=premises, high_grade=high)
    yield from (MatterAsked(matter=one) for one in Matter)
