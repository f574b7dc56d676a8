"""Refuses a JSON object that has the same member twice.

A parser may take the first member or the last one. A gateway that takes the first would examine
another person than the service, which takes the last.

`checker.decoding.refuse_repeated` parses the body once more, which takes as long as a whole check.
A count avoids this for nearly every check. The colons of a body are of two kinds:

- one colon of each member;
- the colons within texts. They are known from the decoded texts, unless a colon is escaped.

A decoded check shows the least number of different members that its body must have. If the body has
no more colons than these members and its texts, no member is repeated. Any other body is parsed
once more. A field that the count does not know only makes this happen more often; no repetition is
missed.

Measured on top of 1.3 us for decoding: 0.3 us for a plain check, 0.6 us with a colon in the
reference, 0.7 us with `"receipt":false`, 1.6 us with nulls, 11 us for parsing once more.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import msgspec

from checker.decoding import refuse_repeated
from checker.domain.service import Service
from checker.errors import Fault, InvalidRequest

_PLAIN_FIELD: Final = re.compile(r"[a-z][a-z_]{0,39}")

_Defaults = tuple[tuple[str, Any], ...]


def refuse_repeated_in_check(body: bytes, check: Any) -> None:
    """Refuse the body of a decoded check, if an object in it has a member twice.

    Raises:
        InvalidRequest: as `refuse_repeated`.
    """
    service, name, reference = check.service, check.subject.name, check.reference
    members, optional = _CHECK_MEMBERS[type(service)]
    unexplained = body.count(b":") - members
    if name is not None:
        unexplained -= 1
    if reference is not None:
        unexplained -= 1
    if check.jurisdiction is not None:
        unexplained -= 1
    # Nearly every check ends here.
    if unexplained and not _explains(check, optional, unexplained, body):
        refuse_repeated(body)


def least_members(checks: Sequence[Any]) -> int:
    """Return the least number of members that decoded checks must have together.

    If their bodies have no more colons than that, no member of any of them is repeated.
    """
    least = 0
    for check in checks:
        members, optional = _CHECK_MEMBERS[type(check.service)]
        least += members
        for name, default in optional:
            least += getattr(check.service, name) is not default
    return (
        least
        + sum([check.subject.name is not None for check in checks])
        + sum([check.jurisdiction is not None for check in checks])
        + sum([check.reference is not None for check in checks])
        + sum([check.receipt is True for check in checks])
    )


def refuse_repeated_in_subject(body: bytes, *, has_name: bool) -> None:
    """Refuse the body of a decoded subject, if an object in it has a member twice.

    Raises:
        InvalidRequest: as `refuse_repeated`.
    """
    # document, type, number
    if body.count(b":") != 3 + has_name:
        refuse_repeated(body)


def refuse_repeated_at_top(body: bytes, members: Mapping[str, msgspec.Raw]) -> None:
    """Refuse the body of a batch, if its outermost object has a member twice.

    `members` holds the decoded members. Their values are not looked at: each item of a batch is
    refused by itself.

    Raises:
        InvalidRequest: a member is repeated; the error names it where the name is not escaped.
    """
    colons = body.count(b":") - len(members)
    for raw in members.values():
        colons -= bytes(raw).count(b":")
    if colons:
        # A value that was overwritten has colons too, so the name alone is searched for.
        names = [name for name in members if body.count(b'"%b"' % name.encode()) > 1]
        pointer = f"/{names[0]}" if names and _PLAIN_FIELD.fullmatch(names[0]) else ""
        fault = Fault(pointer, "is there more than once")
        raise InvalidRequest("an object has the same field twice", [fault])


def _explains(check: Any, optional: _Defaults, colons: int, body: bytes) -> bool:
    """Return whether the check certainly has these colons, besides its least members."""
    reference = check.reference
    if reference is not None and ":" in reference:
        colons -= _colons_in(reference, body)
        if not colons:
            return True
    if colons == 1 and not check.receipt and b'"receipt":' in body:
        return True  # many clients send this default
    colons -= check.receipt
    for field, default in optional:
        if getattr(check.service, field) is not default:
            colons -= 1
    if check.subject.name is not None:
        colons -= _colons_in(check.subject.name, body)
    return colons == 0 or colons == _defaults_sent(body, check, optional)


def _colons_in(text: str, body: bytes) -> int:
    """Return the number of colons that a decoded text certainly has in the body.

    JSON escapes a colon in one way alone: as backslash, `u003a`.
    """
    return 0 if b"u003" in body else text.count(":")


def _defaults_sent(body: bytes, check: Any, optional: _Defaults) -> int:
    """Return the number of members that are certainly there and give a default.

    Within a text a quote is escaped. So these bytes are nowhere but at the member.
    """
    sent = (
        (not check.receipt and b'"receipt":' in body)
        + (check.reference is None and b'"reference":' in body)
        + (check.jurisdiction is None and b'"jurisdiction":' in body)
        + (check.subject.name is None and b'"name":' in body)
    )
    for field, default in optional:
        if getattr(check.service, field) is default and b'"%b":' % field.encode() in body:
            sent += 1
    return sent


def _shape(kind: type[msgspec.Struct]) -> tuple[int, _Defaults]:
    """Return the least number of members of a check of this service, and the optional fields."""
    # Of several spellings of one field exactly one is there.
    spellings: Sequence[str] = getattr(kind, "SPELLINGS", ())
    fields = [each for each in msgspec.structs.fields(kind) if each.name not in spellings]
    optional = tuple((each.name, each.default) for each in fields if not each.required)
    # subject, document, its type and number, service, its type
    return 6 + len(fields) - len(optional) + bool(spellings), optional


_CHECK_MEMBERS: Final = {kind: _shape(kind) for kind in get_args(Service)}
