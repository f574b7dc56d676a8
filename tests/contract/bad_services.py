"""Everything that may be wrong with each field of each service.

The fields are written from the contract's section 2; a test holds them against /openapi.json.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

FEN_MAX = 10**12


class Field(NamedTuple):
    """A value that is right, the values of its own type that are not, and whether it may be
    left out.
    """

    right: Any
    wrong: tuple[Any, ...] = ()
    optional: bool = False


def _words(right: str, *, optional: bool = False) -> Field:
    return Field(right, ("", "unknown", right.upper(), f" {right}", "x" * 10_000), optional)


def _amount(right: int, *, below: int = -1, above: int = FEN_MAX + 1) -> Field:
    return Field(right, (below, above, 2**63, 10**30, -(10**30)))


_TRUTH = Field(True)
_DESIGNATED = Field(True, optional=True)

SERVICES: dict[str, dict[str, Field]] = {
    "rail": {
        "train": Field(
            "G79", ("", "79G", "G", "G123456", "高79", "G79" * 20, "G79/", "G1/2/3/4/5", "G79\nG80")
        ),
        "seat": _words("second"),
    },
    "air": {
        "flight": Field("CZ3101", ("", "C1", "CZ", "CZ310112", "南3101", "CZ 31 01 01 01 01 0")),
        "cabin": Field("Y", ("", "Y" * 33, "Y" * 10_000), optional=True),
    },
    "lodging": {
        "star_rating": _amount(4, above=6),
        "national_grade": _words("third", optional=True),
        "high_consumption": _DESIGNATED,
    },
    "venue": {"kind": _words("golf"), "high_consumption": _DESIGNATED},
    "outbound_tour": {"product": _words("group_tour")},
    "resort": {"venue": _words("rated_resort"), "amount_fen": _amount(1)},
    "private_school": {"annual_fee_fen": _amount(1)},
    "insurance": {
        "cash_value": _TRUTH,
        "annual_premium_fen": _amount(1),
        "wealth_product": Field(True, optional=True),
    },
    "construction": {"work": _words("new_build")},
    "vehicle": {"operating_necessity": _TRUTH},
    "real_estate": {"transaction": _words("purchase")},
    "ship": {"class": _words("third")},
    "domestic_tour": {"product": _words("holiday_package")},
    "office_lease": {"premises": _words("hotel"), "high_grade": _TRUTH},
    "matter": {"matter": _words("bank_founding")},
}

OF_EACH_TYPE: dict[type, tuple[Any, ...]] = {
    type(None): (None,),
    bool: (True, False),
    int: (1, 0),
    float: (1.5, 1e308),
    str: ("1", "true", "null"),
    list: ([], ["G79"]),
    dict: ({}, {"train": "G79"}),
}


def right_service(kind: str) -> dict[str, Any]:
    return {"type": kind, **{name: field.right for name, field in SERVICES[kind].items()}}


def wrong_values(field: Field) -> Iterator[Any]:
    yield from field.wrong
    for kind, values in OF_EACH_TYPE.items():
        if kind is not type(field.right):
            yield from values


def bad_services() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Services with one field at fault: what is wrong, the pointer, and the service."""
    for kind, fields in SERVICES.items():
        right = right_service(kind)
        for name, field in fields.items():
            pointer = f"/service/{name}"
            for value in wrong_values(field):
                told = repr(value)
                yield f"{kind}.{name}={told[:24]}", pointer, {**right, name: value}
            if not field.optional:
                left = {other: value for other, value in right.items() if other != name}
                yield f"{kind}.{name} absent", pointer, left
        yield f"{kind} with an unknown field", "/service/extra", {**right, "extra": 1}
