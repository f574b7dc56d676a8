"""Decodes JSON into structs. An error names the field and never repeats its value.

msgspec's messages are safe where they speak of types and bounds, and not where they quote the
input: an unknown field or value may be somebody's number, typed in the wrong place. So a list
of safe messages passes, and all others are replaced by our own words.
"""

import re
from typing import Any, TypeVar

import msgspec

from checker.domain.errors import FieldRequired
from checker.errors import Fault, InvalidRequest

T = TypeVar("T")

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
