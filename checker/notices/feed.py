"""The notices of one account as a feed, for accounts without an endpoint or with a missed message.

A cursor names the last notice that was read: its number, its id and its instant. The shape of a
cursor is no part of the contract. Notices are committed in the order of their numbers, so no notice
ever appears before a cursor that the feed returned.

After a failover to an older state of the database, numbers are used a second time. A cursor whose
notice does not exist may come from the lost state. Then the feed goes on from some time before the
instant of the cursor. Notices that were read may come again, and no notice is left out.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, ColumnElement, case, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.errors import Fault, InvalidRequest
from checker.notices.schema import notice

OVERLAP: Final = timedelta(days=1)
"""Notices of this time come again after a failover; two clocks never differ by so much."""

_FIRST_FORMAT: Final = re.compile(rb"n1:([0-9]{1,18})")
_FORMAT: Final = re.compile(rb"n2:([0-9]{1,18}):([0-9a-f]{32}):([0-9]{1,13})")


class NoticeFeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events as they are sent, the oldest first; `next` is the cursor of the next page."""

    events: Sequence[str]
    next: str


class _Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """The last notice that was read; cursors of the first format have no id."""

    number: int
    id: UUID | None = None
    at_ms: int = 0

    def encode(self) -> str:
        if self.id is None:
            text = f"n1:{self.number}"
        else:
            text = f"n2:{self.number}:{self.id.hex}:{self.at_ms}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_START: Final = _Cursor(number=0)


class NoticeFeed:
    """Reads the notices of accounts."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, account_id: str, after: str | None, limit: int) -> NoticeFeedPage:
        """Return up to `limit` events after a cursor; None: from the beginning.

        Raises:
            InvalidRequest: the cursor is none that this feed returned.
            Unavailable: PostgreSQL is away.
        """
        cursor = _START if after is None else _decode(after)
        wanted = (
            select(notice.c.pk, notice.c.id, notice.c.at, notice.c.event)
            .where(notice.c.account_id == account_id, notice.c.pk > _start_of(account_id, cursor))
            .order_by(notice.c.pk)
            .limit(limit)
        )
        with driver_errors():
            rows = await fetch(self._engine, wanted)
        if rows:
            last = rows[-1]
            at_ms = int(last["at"].timestamp() * 1000)
            cursor = _Cursor(number=last["pk"], id=UUID(last["id"]), at_ms=at_ms)
        return NoticeFeedPage(events=[row["event"] for row in rows], next=cursor.encode())


def _start_of(account_id: str, cursor: _Cursor) -> ColumnElement[int]:
    """Return the number of the notice before the first one to read."""
    number: ColumnElement[int] = literal(cursor.number, BigInteger)
    if cursor.id is None:
        return number
    since = datetime.fromtimestamp(cursor.at_ms / 1000, UTC) - OVERLAP
    first = select(func.coalesce(func.min(notice.c.pk) - 1, number)).where(
        notice.c.account_id == account_id, notice.c.at >= since
    )
    is_known = exists().where(notice.c.pk == number, notice.c.id == str(cursor.id))
    # A subquery of its own, so that the number is found once and the index leads to the rows.
    return select(case((is_known, number), else_=first.scalar_subquery())).scalar_subquery()


def _decode(text: str) -> _Cursor:
    try:
        told = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        told = b""
    if match := _FORMAT.fullmatch(told):
        number, notice_id, at_ms = match.groups()
        return _Cursor(number=int(number), id=UUID(notice_id.decode()), at_ms=int(at_ms))
    if match := _FIRST_FORMAT.fullmatch(told):
        return _Cursor(number=int(match[1]))
    fault = Fault("/after", "is a cursor that `next` of an earlier answer gave")
    raise InvalidRequest("after is not a cursor", [fault])
