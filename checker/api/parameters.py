"""Parameters of a query: how each is read, and how the OpenAPI document describes it.

An unknown parameter is refused, because it would otherwise be ignored without notice.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

import msgspec

from checker.domain.clock import instant_or_day, month_range
from checker.errors import Fault, InvalidRequest

T = TypeVar("T")
_Word = TypeVar("_Word", bound=StrEnum)

# PostgreSQL's bigint ends at 2^63 - 1.
_DIGITS_MAX: Final = 18
NUMBER_MAX: Final = 10**_DIGITS_MAX - 1
_DAY: Final = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_OFFSET: Final = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
INSTANT_PATTERN: Final = f"^{_DAY}(?:[Tt ]{_TIME}{_OFFSET})?$"
"""The texts that `instant_or_day` reads, for the OpenAPI document; some name no day."""

_FLAGS: Final = {"true": True, "false": False}


class Parameter(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One parameter: `read` returns its value, given its text or None if the parameter is absent.

    `read` raises InvalidRequest.
    """

    name: str
    description: str
    schema: dict[str, Any]
    read: Callable[[str | None], T]


def refuse_unknown(sent: Collection[str], known: Collection[Parameter[Any]]) -> None:
    """Refuse a query that has other parameters than the `known` ones.

    Raises:
        InvalidRequest: the error lists the known names, and never repeats what was sent.
    """
    names = [each.name for each in known]
    if set(sent) - set(names):
        text = f"the parameters are {', '.join(names)}" if names else "there are no parameters"
        fault = Fault("", text)
        raise InvalidRequest("a query parameter is not known", [fault])


def flag(name: str, description: str) -> Parameter[bool]:
    """Return a parameter whose value is `true` or `false`; absent means `false`."""

    def read(text: str | None) -> bool:
        if text is None:
            return False
        if text not in _FLAGS:
            raise InvalidRequest(f"{name} is not a flag", [Fault(f"/{name}", "is true or false")])
        return _FLAGS[text]

    schema = {"type": "boolean", "default": False}
    return Parameter(name=name, description=description, schema=schema, read=read)


def number(name: str, description: str, *, default: int, low: int, high: int) -> Parameter[int]:
    """Return a parameter whose value is a whole number from `low` to `high`."""

    def read(text: str | None) -> int:
        if text is None:
            return default
        found = whole_number(text)
        if found is None or not low <= found <= high:
            fault = Fault(f"/{name}", f"is a whole number from {low} to {high}")
            raise InvalidRequest(f"{name} is not a number that is allowed", [fault])
        return found

    schema = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return Parameter(name=name, description=description, schema=schema, read=read)


def word(name: str, description: str, words: Mapping[str, T], *, default: str) -> Parameter[T]:
    """Return a parameter whose text is one of these words; its value is the word's value."""

    def read(text: str | None) -> T:
        value = words.get(default if text is None else text)
        if value is None:
            raise _unknown_word(name, words)
        return value

    schema = {"type": "string", "enum": list(words), "default": default}
    return Parameter(name=name, description=description, schema=schema, read=read)


def optional_word(name: str, description: str, words: Mapping[str, T]) -> Parameter[T | None]:
    """Return a parameter like `word`, whose value is None if the parameter is absent."""

    def read(text: str | None) -> T | None:
        if text is not None and text not in words:
            raise _unknown_word(name, words)
        return None if text is None else words[text]

    schema = {"type": "string", "enum": list(words)}
    return Parameter(name=name, description=description, schema=schema, read=read)


def words_of(members: type[_Word]) -> dict[str, _Word]:
    """Return the words of a closed set, each with its member."""
    return {each.value: each for each in members}


def instant(name: str, description: str) -> Parameter[datetime | None]:
    """Return a parameter for an instant, or a day: its first instant in Asia/Shanghai."""

    def read(text: str | None) -> datetime | None:
        try:
            return None if text is None else instant_or_day(text)
        except ValueError as error:
            fault = Fault(f"/{name}", str(error))
            raise InvalidRequest(f"{name} is not an instant", [fault]) from None

    schema = {"type": "string", "pattern": INSTANT_PATTERN}
    return Parameter(name=name, description=description, schema=schema, read=read)


def month(name: str, description: str) -> Parameter[date | None]:
    """Return a parameter for a month, written `YYYY-MM`; its value is the first day."""

    def read(text: str | None) -> date | None:
        if text is None:
            return None
        try:
            first_day = date.fromisoformat(f"{text}-01")
            month_range(first_day)
        except ValueError:
            fault = Fault(f"/{name}", "is a month as YYYY-MM")
            raise InvalidRequest(f"{name} is not a month", [fault]) from None
        return first_day

    schema = {"type": "string", "pattern": "^[12][0-9]{3}-(?:0[1-9]|1[0-2])$"}
    return Parameter(name=name, description=description, schema=schema, read=read)


def printable(name: str, description: str, must_be: str) -> Parameter[str | None]:
    """Return a parameter for printable text; PostgreSQL cannot store some other characters."""

    def read(text: str | None) -> str | None:
        if text is not None and not text.isprintable():
            raise InvalidRequest(f"{name} cannot be right", [Fault(f"/{name}", must_be)])
        return text

    return Parameter(name=name, description=description, schema={"type": "string"}, read=read)


def opaque(name: str, description: str) -> Parameter[str | None]:
    """Return a parameter whose text the handler passes on as it is."""
    schema = {"type": "string", "minLength": 1}
    return Parameter(name=name, description=description, schema=schema, read=lambda text: text)


def whole_number(text: str) -> int | None:
    """Return the number that these digits write; None for any other text.

    The number is small enough for PostgreSQL's bigint.
    """
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS_MAX:
        return None
    return int(text)


def _unknown_word(name: str, words: Mapping[str, Any]) -> InvalidRequest:
    fault = Fault(f"/{name}", f"is one of {', '.join(words)}")
    return InvalidRequest(f"{name} is not a word that is known", [fault])
