"""What a condition may look at: the fields of each service and what kind each is.

Read off the service structs themselves, so a new field or word needs no second table. A field that
is free text (a flight, a cabin) is no ground for a measure; a train counts by its class.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, get_args, get_type_hints

from checker.domain.service import SERVICES, ServiceType

FieldKind = type[StrEnum] | type[int] | type[bool]
"""A closed set of words, a whole number, or true and false."""


def _kind(hint: object) -> FieldKind | None:
    """Give the kind of a field; whatever may be left out counts as what it is when it is there."""
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
    return {name: kind for name, hint in {**hints, **derived}.items() if (kind := _kind(hint))}


FIELDS: Final[Mapping[ServiceType, Mapping[str, FieldKind]]] = {
    service: _fields(variant) for service, variant in SERVICES.items()
}
