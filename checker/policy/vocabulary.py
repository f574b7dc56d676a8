"""The fields of each service that a condition may read, and their kinds.

The fields come from the service structs, so a new field or word needs no second table. A condition
cannot read free text (a flight, a cabin). It reads a train by its class, and a seat, which has two
spellings, by its berth.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, get_args, get_type_hints

from checker.domain.service import SERVICES, ServiceType

FieldKind = type[StrEnum] | type[int] | type[bool]
"""A closed set of words, a whole number, or true and false."""


def _kind(hint: object) -> FieldKind | None:
    """Return the kind of a field; None: free text. An optional field has the kind of its value."""
    for candidate in (hint, *get_args(hint)):
        if isinstance(candidate, type) and issubclass(candidate, (StrEnum, int)):
            return candidate
    return None


def _fields(service: type) -> dict[str, FieldKind]:
    hints = get_type_hints(service)
    derived = {
        name: get_type_hints(attribute.fget)["return"]
        for name, attribute in vars(service).items()
        if isinstance(attribute, property)
    }
    spellings = getattr(service, "SPELLINGS", ())
    return {
        name: kind
        for name, hint in {**hints, **derived}.items()
        if name not in spellings and (kind := _kind(hint))
    }


FIELDS: Final[Mapping[ServiceType, Mapping[str, FieldKind]]] = {
    service: _fields(variant) for service, variant in SERVICES.items()
}
