"""The outline of a standing: what the cache holds of one token, enough to see that nothing applies.

Layout, at most 64 bytes so that Redis keeps the bucket as a listpack:

    byte 0       format: 1, or 2 where there are more links than fit: ask the registry
    then, 5 bytes a link:
      byte 0     role (number in `NUMBERS`), plus 0x80 where the listed number is masked, plus 0x40
                 where the listing is an order
      bytes 1-2  first day in force, days since 1900-01-01, big-endian; 0: always
      bytes 3-4  first day no longer in force; 65535: never ends

An outline holds no name, number, case or court. The registry confirms every adverse decision, and
knows more: names, and the items of an order. So an outline may only ever show more than there is.
A node of an earlier version does not know the flag of an order, and asks the registry.

PostgreSQL packs outlines (`checker.registry.projection`); this file says how and reads them.
"""

import struct
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.domain.standing import Link, Match, Standing

VALUE_BYTES_MAX: Final = 64

COMPLETE: Final = 1
OVERFLOW: Final = 2
LINK_BYTES: Final = 5
LINKS_MAX: Final = (VALUE_BYTES_MAX - 1) // LINK_BYTES
MASKED: Final = 0x80
ORDER: Final = 0x40
DAY_ZERO: Final = date(1900, 1, 1)
ALWAYS: Final = 0
NEVER: Final = 0xFFFF
# The numbers are the format: append, never renumber.
NUMBERS: Final = {
    Role.DEBTOR: 0,
    Role.LEGAL_REPRESENTATIVE: 1,
    Role.PRINCIPAL: 2,
    Role.ACTUAL_CONTROLLER: 3,
    Role.DIRECTLY_RESPONSIBLE: 4,
}

_ROLES = {number: role for role, number in NUMBERS.items()}
_LINK = struct.Struct(">BHH")


def decode_outline(values: Sequence[bytes]) -> Standing | None:
    """Put together what the tokens of one subject lead to; None: the registry must be asked.

    A format or a role that is not known is of a later version, or the value is damaged: the
    registry must be asked too.
    """
    links: list[Link] = []
    try:
        for value in values:
            if value[0] != COMPLETE:
                return None
            links.extend(_unpack(*fields) for fields in _LINK.iter_unpack(value[1:]))
    except (IndexError, KeyError, struct.error):
        return None
    return Standing(links=tuple(links))


def _unpack(number: int, starts: int, ends: int) -> Link:
    return Link(
        role=_ROLES[number & ~(MASKED | ORDER)],
        match=Match.MASKED if number & MASKED else Match.DOCUMENT,
        starts_on=None if starts == ALWAYS else DAY_ZERO + timedelta(days=starts),
        ends_on=None if ends == NEVER else DAY_ZERO + timedelta(days=ends),
        kind=ListingKind.CONSUMPTION_ORDER if number & ORDER else ListingKind.DISHONEST,
    )
