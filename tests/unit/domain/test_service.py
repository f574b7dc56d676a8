"""Services as they are decoded: the contract's table, and what it refuses."""

import json
from enum import StrEnum
from typing import get_args

import msgspec
import pytest

from checker.decoding import decode as checked_decode
from checker.domain import service_terms
from checker.domain.service import SERVICES, Rail, Service, ServiceType
from checker.domain.service_terms import SeatCode, TrainClass
from checker.errors import InvalidRequest

DECODER = msgspec.json.Decoder(Service)

EXAMPLES: dict[ServiceType, dict[str, object]] = {
    ServiceType.RAIL: {"train": "G79", "seat": "second"},
    ServiceType.AIR: {"flight": "CZ3101", "cabin": "Y"},
    ServiceType.LODGING: {"star_rating": 3, "national_grade": "first", "high_consumption": True},
    ServiceType.VENUE: {"kind": "golf", "high_consumption": False},
    ServiceType.OUTBOUND_TOUR: {"product": "group_tour"},
    ServiceType.RESORT: {"venue": "rated_resort", "amount_fen": 100},
    ServiceType.PRIVATE_SCHOOL: {"annual_fee_fen": 100},
    ServiceType.INSURANCE: {
        "cash_value": True,
        "annual_premium_fen": 100,
        "wealth_product": True,
    },
    ServiceType.CONSTRUCTION: {"work": "new_build"},
    ServiceType.VEHICLE: {"operating_necessity": False},
    ServiceType.REAL_ESTATE: {"transaction": "purchase"},
    ServiceType.SHIP: {"class": "third"},
    ServiceType.DOMESTIC_TOUR: {"product": "holiday_package"},
    ServiceType.OFFICE_LEASE: {"premises": "office_building", "high_grade": False},
    ServiceType.MATTER: {"matter": "bank_founding"},
}

OPTIONAL = {"cabin", "national_grade", "high_consumption", "wealth_product"}

WORDS = {
    "Seat": "business special premier_first first second second_compartment emu_sleeper "
    "deluxe_emu_sleeper first_sleeper second_sleeper deluxe_soft_sleeper soft_sleeper "
    "hard_sleeper soft_seat hard_seat no_seat",
    "SeatCode": "9 P D M O S F A I J 6 4 3 2 1 W",
    "ShipClass": "special first second third fourth fifth deck",
    "DomesticProduct": "group_tour holiday_package related_service",
    "Premises": "office_building hotel apartment other",
    "NationalGrade": "special first second third",
    "VenueKind": "nightclub golf star_hotel other",
    "TourProduct": "group_tour related_service",
    "ResortVenue": "rated_resort tourism_enterprise unrated",
    "ConstructionWork": "new_build expansion luxury_renovation ordinary_renovation",
    "Transaction": "purchase land_use_right resource_development state_asset_trade",
    "TrainClass": "G D C S Z T K L Y ordinary",
}

FIELDS = [(kind, field) for kind, fields in EXAMPLES.items() for field in fields]


def decode(kind: str, /, **fields: object) -> Service:
    return DECODER.decode(json.dumps({"type": kind, **fields}))


def test_the_types_are_the_tags() -> None:
    tags = {variant.__struct_config__.tag for variant in get_args(Service)}
    assert tags == set(ServiceType) == set(SERVICES) == set(EXAMPLES)
    assert all(SERVICES[kind].__struct_config__.tag == kind for kind in ServiceType)


@pytest.mark.parametrize("kind", ServiceType)
def test_an_example_survives_decoding_and_encoding(kind: ServiceType) -> None:
    decoded = decode(kind, **EXAMPLES[kind])
    assert type(decoded) is SERVICES[kind]
    assert msgspec.to_builtins(decoded) == {"type": kind, **EXAMPLES[kind]}


@pytest.mark.parametrize("kind", ServiceType)
def test_a_misspelt_field_is_refused(kind: ServiceType) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        decode(kind, **EXAMPLES[kind], colour="red")


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_field_is_missing_only_where_it_is_optional(kind: ServiceType, field: str) -> None:
    fields = {key: value for key, value in EXAMPLES[kind].items() if key != field}
    if field in OPTIONAL:
        assert type(decode(kind, **fields)) is SERVICES[kind]
    else:
        with pytest.raises(msgspec.ValidationError, match=field):
            decode(kind, **fields)


@pytest.mark.parametrize(("kind", "field"), [pair for pair in FIELDS if pair[1] != "cabin"])
@pytest.mark.parametrize("value", [[], {}, 1.5, "\x00", "?", 10**12 + 1, -1])
def test_a_field_refuses_another_type_or_an_absurd_value(
    kind: ServiceType, field: str, value: object
) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field}"):
        decode(kind, **{**EXAMPLES[kind], field: value})


@pytest.mark.parametrize("enum", WORDS)
def test_the_words_are_those_of_the_contract(enum: str) -> None:
    words = getattr(service_terms, enum)
    assert issubclass(words, StrEnum)
    assert list(words) == WORDS[enum].split()


def test_a_cabin_is_free_text_of_bounded_length() -> None:
    assert decode("air", flight="CZ3101", cabin="经济舱" * 10)
    with pytest.raises(msgspec.ValidationError, match=r"\$\.cabin"):
        decode("air", flight="CZ3101", cabin="Y" * 33)


@pytest.mark.parametrize(("rating", "is_valid"), [(-1, False), (0, True), (5, True), (6, False)])
def test_stars_run_from_0_to_5(rating: int, *, is_valid: bool) -> None:
    if is_valid:
        assert decode("lodging", star_rating=rating)
    else:
        with pytest.raises(msgspec.ValidationError, match=r"\$\.star_rating"):
            decode("lodging", star_rating=rating)


@pytest.mark.parametrize("train_class", [one for one in TrainClass if len(one) == 1])
@pytest.mark.parametrize("spelling", ["{0}79", " {0} 79 ", "{0}-7951", "{1}79", "{2}７９", "{3}79"])
def test_the_letter_of_a_train_is_its_class(train_class: TrainClass, spelling: str) -> None:
    letter = train_class.value
    widths = (letter, letter.lower(), chr(ord(letter) + 0xFEE0), chr(ord(letter) + 0xFEE0 + 32))
    train = decode("rail", train=spelling.format(*widths), seat="second")
    assert isinstance(train, Rail)
    assert train.train_class is train_class


@pytest.mark.parametrize("number", ["1461", "７００１", " 6063 ", "4"])
def test_a_train_of_digits_alone_is_ordinary(number: str) -> None:
    train = decode("rail", train=number, seat="hard_seat")
    assert isinstance(train, Rail)
    assert train.train_class is TrainClass.ORDINARY


@pytest.mark.parametrize(
    ("number", "train_class"),
    [
        ("G1234/5", "G"),
        ("C3330/C3331", "C"),
        ("G79/G80", "G"),
        ("K1112/K1113", "K"),
        ("K1112/K1113次", "K"),
        (" ｋ1112 ／ g13 次 ", "G"),
        ("D5/7001", "D"),
        ("7001/D5", "D"),
        ("1461/2", "ordinary"),
        ("Z5/T6", "Z"),
        ("K1236/1237/1240/G1", "G"),
        ("G79次", "G"),
    ],
)
def test_a_train_of_several_numbers_has_the_strictest_class(number: str, train_class: str) -> None:
    train = decode("rail", train=number, seat="second")
    assert isinstance(train, Rail)
    assert train.train_class == train_class


@pytest.mark.parametrize("code", SeatCode)
def test_a_seat_code_stands_for_its_seat(code: SeatCode) -> None:
    train = decode("rail", train="D1", seat_code=code)
    assert isinstance(train, Rail)
    assert train.berth == code.name.lower()
    assert msgspec.to_builtins(train) == {"type": "rail", "train": "D1", "seat_code": code}


@pytest.mark.parametrize(
    ("seats", "pointer", "says"),
    [
        ({}, "/seat", "is required"),
        ({"seat": "second", "seat_code": "O"}, "", "exactly one of them"),
        ({"seat_code": "X"}, "/seat_code", "not one of the values"),
        ({"seat_code": "o"}, "/seat_code", "not one of the values"),
        ({"seat_code": 9}, "/seat_code", "expected `str`"),
        ({"seat_code": None}, "/seat_code", "expected `str`"),
        ({"seat": None, "seat_code": "O"}, "/seat", "expected `str`"),
    ],
)
def test_a_ticket_has_exactly_one_of_seat_and_seat_code(
    seats: dict[str, object], pointer: str, says: str
) -> None:
    body = json.dumps({"type": "rail", "train": "D1", **seats}).encode()
    with pytest.raises(InvalidRequest) as caught:
        checked_decode(DECODER, body)
    [fault] = caught.value.faults
    assert fault.pointer == pointer
    assert says in fault.detail


@pytest.mark.parametrize(
    "train",
    [
        "",
        " ",
        "G",
        "Q79",
        "GG79",
        "79G",
        "G123456",
        "高79",
        "G٧٩",
        "CZ3101",
        "K1/",
        "K1/2/3/4/5",
        "K1//2",
        "/K1",
        "次",
        "79\n8",
    ],
)
def test_what_is_no_train_number_is_refused_at_its_field(train: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.train"):
        decode("rail", train=train, seat="second")


@pytest.mark.parametrize(
    "flight", ["CZ3101", "cz 3101", "ＣＺ３１０１", "9C8515", "CSN-3101", "CA1A"]
)
def test_a_flight_is_taken_as_it_is_written(flight: str) -> None:
    assert decode("air", flight=flight)


@pytest.mark.parametrize("flight", ["", "CZ", "3", "CZ310111", "ABCD123"])
def test_what_is_no_flight_is_refused(flight: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.flight"):
        decode("air", flight=flight)
