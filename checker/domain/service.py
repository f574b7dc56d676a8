"""Services that may be bought: one variant for each service, with its `type` as the tag.

Knows fields, not measures. Every number and every choice is bounded, so the rules can decide on
every decoded service. An optional field may be left out, but may not be null: a broken caller sends
null for a grade that it does not know.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final

import msgspec

from checker.domain.errors import FieldRequired
from checker.domain.matter import Matter
from checker.domain.service_terms import (
    EMU_CLASSES,
    SEAT_OF_CODE,
    Cabin,
    ConstructionWork,
    DomesticProduct,
    Fen,
    FlightNumber,
    NationalGrade,
    Premises,
    ResortVenue,
    Seat,
    SeatCode,
    ShipClass,
    StarRating,
    TourProduct,
    TrainClass,
    TrainNumber,
    Transaction,
    VenueKind,
    strictest_class,
)


class ServiceType(StrEnum):
    """The tag of each service."""

    RAIL = "rail"
    AIR = "air"
    LODGING = "lodging"
    VENUE = "venue"
    OUTBOUND_TOUR = "outbound_tour"
    RESORT = "resort"
    PRIVATE_SCHOOL = "private_school"
    INSURANCE = "insurance"
    CONSTRUCTION = "construction"
    VEHICLE = "vehicle"
    REAL_ESTATE = "real_estate"
    SHIP = "ship"
    DOMESTIC_TOUR = "domestic_tour"
    OFFICE_LEASE = "office_lease"
    MATTER = "matter"


class _Variant(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"
):
    pass


class Rail(_Variant, tag="rail", frozen=True, kw_only=True):
    """A train ticket, with either `seat` or `seat_code`. `train` must be a train number."""

    SPELLINGS: ClassVar = ("seat", "seat_code")
    """Fields of which exactly one is there. Measures read the `berth` instead."""

    train: TrainNumber
    seat: Seat | msgspec.UnsetType = msgspec.UNSET
    seat_code: SeatCode | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if self.seat is msgspec.UNSET:
            if self.seat_code is msgspec.UNSET:
                raise FieldRequired("seat")
        elif self.seat_code is not msgspec.UNSET:
            raise ValueError("has seat and seat_code: exactly one of them is allowed")

    @property
    def train_class(self) -> TrainClass:
        """The class by the letter of the train number; of two classes the stricter one."""
        return strictest_class(self.train)

    @property
    def is_emu(self) -> bool:
        """Whether the train is a multiple unit (动车组)."""
        return self.train_class in EMU_CLASSES

    @property
    def berth(self) -> Seat:
        """The seat or berth, whether it was sent as a word or as a code."""
        if self.seat is not msgspec.UNSET:
            return self.seat
        assert self.seat_code is not msgspec.UNSET, "one of the two is there"
        return SEAT_OF_CODE[self.seat_code]


class Air(_Variant, tag="air", frozen=True, kw_only=True):
    """A flight, paid by anybody and by any means: awards and upgrades are flights too."""

    flight: FlightNumber
    cabin: Cabin | msgspec.UnsetType = msgspec.UNSET


class Lodging(_Variant, tag="lodging", frozen=True, kw_only=True):
    """A night in a place of lodging; `high_consumption` where the authority designated it so."""

    star_rating: StarRating
    national_grade: NationalGrade | msgspec.UnsetType = msgspec.UNSET
    high_consumption: bool = False


class Venue(_Variant, tag="venue", frozen=True, kw_only=True):
    """Eating, banquets and entertainment; `high_consumption` where the authority says so."""

    kind: VenueKind
    high_consumption: bool = False


class OutboundTour(_Variant, tag="outbound_tour", frozen=True, kw_only=True):
    """A journey abroad with a travel agency, or what it sells for one."""

    product: TourProduct


class Resort(_Variant, tag="resort", frozen=True, kw_only=True):
    """Spending in a place of tourism, in fen."""

    venue: ResortVenue
    amount_fen: Fen


class PrivateSchool(_Variant, tag="private_school", frozen=True, kw_only=True):
    """A year at a private school, in fen; the subject is the person who pays, never the child."""

    annual_fee_fen: Fen


class Insurance(_Variant, tag="insurance", frozen=True, kw_only=True):
    """An insurance, its premium for a year in fen; the subject is the person who pays it.

    `wealth_product`: it is sold as an investment (保险理财产品).
    """

    cash_value: bool
    annual_premium_fen: Fen
    wealth_product: bool = False


class Construction(_Variant, tag="construction", frozen=True, kw_only=True):
    """Building or renovating."""

    work: ConstructionWork


class Vehicle(_Variant, tag="vehicle", frozen=True, kw_only=True):
    """Buying a vehicle; `operating_necessity` where the business cannot do without it."""

    operating_necessity: bool


class RealEstate(_Variant, tag="real_estate", frozen=True, kw_only=True):
    """Real estate, natural resources and state assets."""

    transaction: Transaction


class Ship(_Variant, tag="ship", frozen=True, kw_only=True):
    """A passage on a ship."""

    ship_class: ShipClass = msgspec.field(name="class")


class DomesticTour(_Variant, tag="domestic_tour", frozen=True, kw_only=True):
    """A journey or a holiday within the country, from a travel agency."""

    product: DomesticProduct


class OfficeLease(_Variant, tag="office_lease", frozen=True, kw_only=True):
    """Renting a place for an office; `high_grade` where the place is of a high grade (高档)."""

    premises: Premises
    high_grade: bool


class MatterAsked(_Variant, tag="matter", frozen=True, kw_only=True):
    """An application or appointment; the subject is one applicant, officer or candidate."""

    matter: Matter


Service = (
    Rail
    | Air
    | Lodging
    | Venue
    | OutboundTour
    | Resort
    | PrivateSchool
    | Insurance
    | Construction
    | Vehicle
    | RealEstate
    | Ship
    | DomesticTour
    | OfficeLease
    | MatterAsked
)

SERVICES: Final[Mapping[ServiceType, type[Service]]] = {
    ServiceType.RAIL: Rail,
    ServiceType.AIR: Air,
    ServiceType.LODGING: Lodging,
    ServiceType.VENUE: Venue,
    ServiceType.OUTBOUND_TOUR: OutboundTour,
    ServiceType.RESORT: Resort,
    ServiceType.PRIVATE_SCHOOL: PrivateSchool,
    ServiceType.INSURANCE: Insurance,
    ServiceType.CONSTRUCTION: Construction,
    ServiceType.VEHICLE: Vehicle,
    ServiceType.REAL_ESTATE: RealEstate,
    ServiceType.SHIP: Ship,
    ServiceType.DOMESTIC_TOUR: DomesticTour,
    ServiceType.OFFICE_LEASE: OfficeLease,
    ServiceType.MATTER: MatterAsked,
}


_TYPES: Final[Mapping[type[Service], ServiceType]] = {
    variant: kind for kind, variant in SERVICES.items()
}


def type_of(service: Service | type[Service]) -> ServiceType:
    """Return the type of a service or of a variant."""
    return _TYPES[service if isinstance(service, type) else service.__class__]
