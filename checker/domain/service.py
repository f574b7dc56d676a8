"""Services that may be bought: one variant for each service, with its `type` as the tag.

Knows fields, not measures. Every number and every choice is bounded, so the rules can decide on
every decoded service. An optional field may be left out, but may not be null: a broken caller sends
null for a grade that it does not know.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.service_terms import (
    Cabin,
    ConstructionWork,
    Fen,
    FlightNumber,
    NationalGrade,
    ResortVenue,
    Seat,
    StarRating,
    TourProduct,
    TrainClass,
    TrainNumber,
    Transaction,
    VenueKind,
)
from checker.domain.text import compact


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


class _Variant(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"
):
    pass


class Rail(_Variant, tag="rail", frozen=True, kw_only=True):
    """A train ticket. `train` is refused where it is no train number."""

    train: TrainNumber
    seat: Seat

    @property
    def train_class(self) -> TrainClass:
        """The class by the letter of the train number, in any width and case."""
        letter = compact(self.train)[0]
        return TrainClass.ORDINARY if letter.isdigit() else TrainClass(letter)


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
    """An insurance, its premium for a year in fen; the subject is the person who pays it."""

    cash_value: bool
    annual_premium_fen: Fen


class Construction(_Variant, tag="construction", frozen=True, kw_only=True):
    """Building or renovating."""

    work: ConstructionWork


class Vehicle(_Variant, tag="vehicle", frozen=True, kw_only=True):
    """Buying a vehicle; `operating_necessity` where the business cannot do without it."""

    operating_necessity: bool


class RealEstate(_Variant, tag="real_estate", frozen=True, kw_only=True):
    """Real estate, natural resources and state assets."""

    transaction: Transaction


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
}


_TYPES: Final[Mapping[type[Service], ServiceType]] = {
    variant: kind for kind, variant in SERVICES.items()
}


def type_of(service: Service | type[Service]) -> ServiceType:
    """Return the type of a service or of a variant."""
    return _TYPES[service if isinstance(service, type) else service.__class__]
