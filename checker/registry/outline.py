"""The outline of a standing: what the cache holds of one token, enough to see that nothing applies.

Layout, at most 64 bytes so that Redis keeps the bucket as a listpack:

    byte 0       format: 1, or 2 where there are more links than fit: ask the registry
    then, 5 bytes a link:
      byte 0     role (number in `_ROLES`), plus 0x80 where the listed number is masked
      bytes 1-2  first day in force, days since 1900-01-01, big-endian; 0: always
      bytes 3-4  first day no longer in force; 65535: never ends

No name, number, case or court is in it. Whatever adverse it leads to is confirmed by the registry,
which alone knows names, so the outline may only ever show more than there is.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from checker.domain.role import Role
from checker.domain.standing import Link, Match, Standing

VALUE_BYTES_MAX = 64

_COMPLETE = 1
_OVERFLOW = 2
_LINK = struct.Struct(">BHH")
_LINKS_MAX = (VALUE_BYTES_MAX - 1) // _LINK.size
_MASKED = 0x80
_DAY_ZERO = date(1900, 1, 1)
_ALWAYS = 0
_NEVER = 0xFFFF
# The order is the format: append, never reorder.
_ROLES = (
    Role.DEBTOR,
    Role.LEGAL_REPRESENTATIVE,
    Role.PRINCIPAL,
    Role.ACTUAL_CONTROLLER,
    Role.DIRECTLY_RESPONSIBLE,
)
_NUMBERS = {role: number for number, role in enumerate(_ROLES)}


def encode_outline(links: Iterable[Link]) -> bytes:
    """Encode links, each once; more than twelve different ones become an overflow."""
    packed = sorted({_pack(link) for link in links})
    if len(packed) > _LINKS_MAX:
        return bytes([_OVERFLOW])
    return bytes([_COMPLETE]) + b"".join(packed)


def decode_outline(values: Sequence[bytes]) -> Standing | None:
    """Put together what the tokens of one subject lead to; None: the registry must be asked.

    A format that is not known is of a later version, or the value is damaged: the registry must be
    asked too.
    """
    links: list[Link] = []
    try:
        for value in values:
            if value[0] != _COMPLETE:
                return None
            links.extend(_unpack(*fields) for fields in _LINK.iter_unpack(value[1:]))
    except (IndexError, struct.error):
        return None
    return Standing(links=tuple(links))


def _pack(link: Link) -> bytes:
    number = _NUMBERS[link.role] | (_MASKED if link.match is Match.MASKED else 0)
    starts = _ALWAYS if link.starts_on is None else _days(link.starts_on, latest=_NEVER - 1)
    ends = _NEVER if link.ends_on is None else _days(link.ends_on, latest=_NEVER)
    return _LINK.pack(number, starts, ends)


def _unpack(number: int, starts: int, ends: int) -> Link:
    return Link(
        role=_ROLES[number & ~_MASKED],
        match=Match.MASKED if number & _MASKED else Match.DOCUMENT,
        starts_on=None if starts == _ALWAYS else _DAY_ZERO + timedelta(days=starts),
        ends_on=None if ends == _NEVER else _DAY_ZERO + timedelta(days=ends),
    )


def _days(day: date, *, latest: int) -> int:
    """Days since 1900, cut to what two bytes hold; earlier starts count as always in force."""
    return min(max((day - _DAY_ZERO).days, _ALWAYS), latest)
