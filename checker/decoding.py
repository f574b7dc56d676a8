"""Decodes JSON into structs. An error names the field and never repeats its value.

msgspec's messages are safe where they speak of types and bounds, and not where they quote the
input: an unknown field or value may be somebody's number, typed in the wrong place. So a list
of safe messages passes, and all others are replaced by our own words.

A member of an object that is there twice is refused, because another parser may take the other one.
"""

import json
import re
from typing import Any, Final, TypeVar

import msgspec

from checker.domain.errors import FieldRequired
from checker.errors import Fault, InvalidRequest

T = TypeVar("T")

_any_value: Final = msgspec.json.Decoder[Any]()

# The path counts only where it can be one of ours: in front of it an unknown field is quoted, which
# may itself look like a path.
_PATH = re.compile(r" - at `\$(?P<path>(?:\.[a-z_]{1,40}|\[\d{1,5}\]|\[\.\.\.\])*)`$")
_STEP = re.compile(r"\.(?P<field>[a-z_]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[a-zA-Z_]+)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_SAFE = re.compile(r"^(Expected |Invalid RFC ?3339 |Number out of range|Input data was truncated)")
_PLAIN_FIELD = re.compile(r"^[a-z][a-z_]{0,39}$")


def decode(decoder: msgspec.json.Decoder[T], data: bytes | memoryview, *, under: str = "") -> T:
    """Decode with a decoder that was built once.

    `under` is the JSON pointer of `data` in the request, put before that of a fault.

    Raises:
        InvalidRequest: the data is no JSON, or not of that shape; with the field at fault.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise InvalidRequest("a field is not as it must be", [fault_of(error, under)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # `from None`: the causes quote the input.
        raise InvalidRequest("the body is not JSON in UTF-8", [Fault(under, "not JSON")]) from None


def decode_once(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode like `decode`, and refuse an object that has a member twice.

    Raises:
        InvalidRequest: as `decode` and `refuse_repeated`.
    """
    decoded = decode(decoder, data)
    # Without the repeated member a body has fewer colons. Texts keep theirs, unless they are
    # escaped (`\\u003a`). This takes a fifth of the time of `refuse_repeated`.
    once = msgspec.json.encode(decode(_any_value, data))
    if once.count(b":") != data.count(b":") or b"u003" in data:
        refuse_repeated(data)
    return decoded


def refuse_repeated(body: bytes, *, under: str = "") -> None:
    """Refuse a body with an object that has a member twice. The body is JSON.

    `under` is the JSON pointer of the body in the request.

    Raises:
        InvalidRequest: a member is repeated; the error names it.
    """
    # A number of thousands of digits takes long to read, and the value is not needed.
    found = json.loads(body, object_pairs_hook=_members, parse_int=len, parse_float=len)
    pointer = _repeated_in(found)
    if pointer is not None:
        fault = Fault(f"{under}{pointer}", "is there more than once")
        raise InvalidRequest("an object has the same field twice", [fault])


def fault_of(error: msgspec.ValidationError, under: str = "") -> Fault:
    """Return the place of a failed validation and its reason, without the value."""
    message = str(error)
    pointer = under
    if at := _PATH.search(message):
        message = message[: at.start()]
        pointer += _pointer(at["path"])
    if isinstance(error.__cause__, FieldRequired):
        return Fault(f"{pointer}/{error.__cause__.field}", "is required")
    if missing := _MISSING.match(message):
        return Fault(f"{pointer}/{missing['field']}", "is required")
    if unknown := _UNKNOWN.match(message):
        field = unknown["field"]
        named = f"/{field}" if _PLAIN_FIELD.match(field) else ""
        return Fault(pointer + named, "is not a field of this object" if named else "unknown field")
    if "matching regex" in message:
        return Fault(pointer, "is not written as this field must be")
    if _SAFE.match(message):
        return Fault(pointer, message[0].lower() + message[1:])
    return Fault(pointer, _reason_of_ours(error) or "is not one of the values allowed here")


def _pointer(path: str) -> str:
    steps = (step["field"] or step["index"] or "-" for step in _STEP.finditer(path))
    return "".join(f"/{step}" for step in steps)


def _reason_of_ours(error: BaseException) -> str | None:
    """Find what a `__post_init__` of ours said; our own texts never quote the input."""
    cause: Any = error.__cause__
    return str(cause) if type(cause) is ValueError else None


class _Repeated(str):
    """The pointer of a repeated member, below the value that stands in its place."""

    __slots__ = ()


def _members(pairs: list[tuple[str, Any]]) -> Any:
    """Return the pointer of the first repeated member in this object or below, else None."""
    seen = set()
    for name, _ in pairs:
        if name in seen:
            return _Repeated(f"/{name}" if _PLAIN_FIELD.fullmatch(name) else "")
        seen.add(name)
    for name, value in pairs:
        below = _repeated_in(value)
        if below is not None:
            return _Repeated(f"/{name}{below}" if _PLAIN_FIELD.fullmatch(name) else "")
    return None


def _repeated_in(value: Any) -> _Repeated | None:
    if isinstance(value, _Repeated):
        return value
    if isinstance(value, list):
        for place, each in enumerate(value):
            below = _repeated_in(each)
            if below is not None:
                return _Repeated(f"/{place}{below}")
    return None
