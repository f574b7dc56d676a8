"""Query parameters, read strictly: one that is not known would otherwise silently mean nothing."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from litestar import Request

from checker.domain.clock import instant_or_day
from checker.errors import Fault, InvalidRequest

_Word = TypeVar("_Word", bound=StrEnum)

_FLAGS = {"true": True, "false": False}
# PostgreSQL's bigint ends at 2^63 - 1.
_DIGITS_MAX = 18


def refuse_unknown(request: Request[Any, Any, Any], known: Collection[str]) -> None:
    """Refuse parameters besides the `known` ones.

    Raises:
        InvalidRequest: with the names that are known, and not the one that was sent.
    """
    if set(request.query_params) - set(known):
        fault = Fault("", f"the parameters are {', '.join(known)}")
        raise InvalidRequest("a query parameter is not known", [fault])


def flag(request: Request[Any, Any, Any], name: str) -> bool:
    """Read `true` or `false`; not given is `false`. Raises InvalidRequest."""
    text = request.query_params.get(name, "false")
    if text not in _FLAGS:
        raise InvalidRequest(f"{name} is not a flag", [Fault(f"/{name}", "is true or false")])
    return _FLAGS[text]


def number(request: Request[Any, Any, Any], name: str, *, default: int, low: int, high: int) -> int:
    """Read a whole number from `low` to `high`. Raises InvalidRequest."""
    text = request.query_params.get(name)
    if text is None:
        return default
    found = whole_number(text)
    if found is None or not low <= found <= high:
        fault = Fault(f"/{name}", f"is a whole number from {low} to {high}")
        raise InvalidRequest(f"{name} is not a number that is allowed", [fault])
    return found


def word(
    request: Request[Any, Any, Any], name: str, words: type[_Word], *, default: _Word
) -> _Word:
    """Read one of a closed set of words. Raises InvalidRequest."""
    try:
        return words(request.query_params.get(name, default))
    except ValueError:
        fault = Fault(f"/{name}", f"is one of {', '.join(words)}")
        raise InvalidRequest(f"{name} is not a word that is known", [fault]) from None


def instant(request: Request[Any, Any, Any], name: str) -> datetime | None:
    """Read an instant, or a day, which is its beginning in Asia/Shanghai. Raises InvalidRequest."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return instant_or_day(text)
    except ValueError as error:
        raise InvalidRequest(f"{name} is not an instant", [Fault(f"/{name}", str(error))]) from None


def whole_number(text: str) -> int | None:
    """Read digits as a number that PostgreSQL can compare with; None: they are none."""
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS_MAX:
        return None
    return int(text)
