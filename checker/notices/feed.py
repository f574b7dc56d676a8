"""The notices of one account as a feed, for those without an endpoint and for whoever missed one.

A cursor is the number of the last notice read, in a shape that nobody is to read. Notices are
committed in the order of their numbers, so none ever appears behind a cursor that was given.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.errors import Fault, InvalidRequest
from checker.notices.schema import notice

START: Final = 0
_PREFIX: Final = b"n1:"
_DIGITS_MAX: Final = 18


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Events, the oldest first, as they are sent; `next` is where to go on."""

    events: Sequence[str]
    next: str


class NoticeFeed:
    """Reads what accounts were told."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, account_id: str, after: str | None, limit: int) -> Page:
        """Read up to `limit` events after a cursor; None: from the beginning.

        Raises:
            InvalidRequest: the cursor was not given by this feed.
            Unavailable: PostgreSQL is away.
        """
        start = START if after is None else _number_of(after)
        wanted = (
            select(notice.c.pk, notice.c.event)
            .where(notice.c.account_id == account_id, notice.c.pk > start)
            .order_by(notice.c.pk)
            .limit(limit)
        )
        with driver_errors():
            rows = await fetch(self._engine, wanted)
        return Page(
            events=[row["event"] for row in rows],
            next=_cursor_of(rows[-1]["pk"] if rows else start),
        )


def _cursor_of(number: int) -> str:
    return base64.urlsafe_b64encode(_PREFIX + str(number).encode()).decode().rstrip("=")


def _number_of(cursor: str) -> int:
    try:
        told = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        told = b""
    digits = told.removeprefix(_PREFIX)
    if not told.startswith(_PREFIX) or not digits.isdigit() or len(digits) > _DIGITS_MAX:
        fault = Fault("/after", "is a cursor that `next` of an earlier answer gave")
        raise InvalidRequest("after is not a cursor", [fault])
    return int(digits)
