"""A service in the words of a page, as a clerk would offer it."""

from typing import Any

import msgspec

from checker.domain.service import ServiceType
from checker.web.desk.service_forms import TAG, FieldKind, FormField, fields_of
from checker.web.language import PageWords
from checker.web.shown import yuan


def words_of_service(words: PageWords, service: Any) -> str:
    """Return the words of a service: its type, and each field that it fills."""
    sent = msgspec.to_builtins(service)
    kind = ServiceType(sent[TAG])
    parts = [
        text
        for field in fields_of(kind)
        if (value := sent.get(field.name)) is not None and (text := _shown(words, field, value))
    ]
    return " · ".join([words(f"service.{kind}"), *parts])


def _shown(words: PageWords, field: FormField, value: Any) -> str:
    """Return the words of one field; empty: the field says nothing."""
    label = words(f"field.{field.name}")
    match field.kind:
        case FieldKind.YES | FieldKind.YES_OR_NO:
            return label if value else words("desk.without", field=label)
        case FieldKind.CHOICE if field.choices[0].isdigit():
            return words.first_of(f"instead.{field.name}.{value}", "instead.number", value=value)
        case FieldKind.CHOICE:
            return words.value(field.name, str(value))
        case FieldKind.FEN:
            return f"{label} {yuan(int(value))}"
        case _:
            return str(value)
