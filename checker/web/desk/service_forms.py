"""The fields of the form for each type of service, read from the services themselves.

A field of a service is a choice, a yes or no, a sum in fen, a number, or a text. So a service that
is added to `checker.domain.service` has a form at once; its words stand in `words/services.toml`.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from checker.domain.service import SERVICES, ServiceType
from checker.domain.service_terms import AMOUNT_MAX_FEN
from checker.web.sums import fen_of

TAG: Final = "type"
_BOOLEANS: Final = {"true": True, "on": True, "yes": True, "false": False, "no": False}
_CHOICES_MAX: Final = 12
"""A whole number with so few values is chosen from a list: the stars of a hotel."""


class FieldKind(StrEnum):
    """The kind of an input."""

    CHOICE = "choice"
    YES = "yes"
    """May be left open, which means no."""
    YES_OR_NO = "yes_or_no"
    """Must be answered: nobody may sell by an answer that was forgotten."""
    FEN = "fen"
    NUMBER = "number"
    TEXT = "text"


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One input. `choices` are the values of a choice, as they are sent."""

    name: str
    kind: FieldKind
    is_required: bool
    choices: tuple[str, ...] = ()


@cache
def fields_of(service: ServiceType) -> tuple[FormField, ...]:
    """Return the inputs for a type of service, in the order of its fields."""
    described = inspect.type_info(SERVICES[service])
    assert isinstance(described, inspect.StructType)
    # Of several spellings of one answer (a seat, and its code) a person gives the first.
    spellings: tuple[str, ...] = getattr(SERVICES[service], "SPELLINGS", ())
    return tuple(
        _field(each, is_required=each.required or each.encode_name in spellings)
        for each in described.fields
        if each.encode_name not in spellings[1:]
    )


def service_of(service: ServiceType, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the service of a filled form as it is sent to the API.

    A text that is no number stays as it is, so the reading of the check names the field.
    """
    sent: dict[str, Any] = {TAG: service.value}
    for field in fields_of(service):
        text = form.get(field.name, "").strip()
        if text:
            sent[field.name] = _value(field, text)
    return sent


def _value(field: FormField, text: str) -> int | bool | str:
    if field.kind in {FieldKind.YES, FieldKind.YES_OR_NO}:
        return _BOOLEANS.get(text, text)
    is_number = field.kind in {FieldKind.FEN, FieldKind.NUMBER} or (
        field.kind is FieldKind.CHOICE and all(map(str.isdigit, field.choices))
    )
    if not is_number:
        return text
    if field.kind is FieldKind.FEN:
        fen = fen_of(text)
        return text if fen is None else fen
    digits = text.replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else text


def _field(described: inspect.Field, *, is_required: bool) -> FormField:
    kind, choices = _kind_of(_without_metadata(described.type))
    if kind is FieldKind.YES and is_required:
        kind = FieldKind.YES_OR_NO
    return FormField(
        name=described.encode_name, kind=kind, is_required=is_required, choices=choices
    )


def _kind_of(described: Any) -> tuple[FieldKind, tuple[str, ...]]:
    match described:
        case inspect.EnumType():
            return FieldKind.CHOICE, tuple(each.value for each in described.cls)
        case inspect.BoolType():
            return FieldKind.YES, ()
        case inspect.IntType(ge=int(least), le=int(most)) if most - least < _CHOICES_MAX:
            return FieldKind.CHOICE, tuple(map(str, range(least, most + 1)))
        case inspect.IntType(le=most):
            return (FieldKind.FEN if most == AMOUNT_MAX_FEN else FieldKind.NUMBER), ()
        case _:
            return FieldKind.TEXT, ()


def _without_metadata(described: Any) -> Any:
    while isinstance(described, inspect.Metadata):
        described = described.type
    if isinstance(described, inspect.UnionType):
        # Of a union with "absent" the other member counts; msgspec leaves `UNSET` out by itself.
        others = [each for each in described.types if not isinstance(each, inspect.NoneType)]
        return _without_metadata(others[0])
    return described
