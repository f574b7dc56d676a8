"""The quarantine: rejected lines, until somebody has looked at them.

A retry reads a line again as it was sent. The list may have changed since. This is judged under the
list's lock (`quarantine_rows.settled`): an old line must not bring back a listing that a later list
dropped.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.clock import shanghai_day
from checker.domain.court import Courts
from checker.errors import NotFound
from checker.formats.formats import LINE_FORMATS
from checker.intake.change_slices import SLICE_LINES
from checker.intake.changes import ChangesFeed
from checker.intake.quarantine_rows import FeedLine
from checker.intake.report import FeedReport
from checker.registry.entry import LineRejected, RejectCode
from checker.registry.operations import Operation
from checker.registry.schema import quarantine
from checker.registry.sealing import QUARANTINE_RAW, Sealer


class QuarantinedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected line without its text. `id` is its number in the quarantine."""

    id: int
    feed: str
    format: str
    line: int
    code: RejectCode
    detail: str
    at: datetime


class LineViewer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who sees the lines that `account_id` sent, and changes the listings of `courts`.

    None: all lines, and all listings.
    """

    account_id: str | None = None
    courts: Courts | None = None


EVERYBODYS = LineViewer()


class QuarantinedLines:
    """Reads the lines, and has them tried again."""

    def __init__(self, *, engine: AsyncEngine, sealer: Sealer, changes: ChangesFeed) -> None:
        self._engine = engine
        self._sealer = sealer
        self._changes = changes

    async def open_lines(
        self, after: int, limit: int, viewer: LineViewer = EVERYBODYS
    ) -> tuple[QuarantinedLine, ...]:
        """Return up to `limit` lines behind the id `after` that no retry has put in force, in
        order.

        Raises:
            Unavailable: the registry cannot be reached.
        """
        rows = await self._fetch(_OPEN, viewer, after=after, limit=limit)
        return tuple(_line(row) for row in rows)

    async def count_open(self) -> int:
        """Return the number of lines that no retry has put in force. Raises Unavailable."""
        with driver_errors():
            [row] = await fetch(self._engine, _COUNT)
        counted: int = row["open"]
        return counted

    async def read(
        self, line_id: int, viewer: LineViewer = EVERYBODYS
    ) -> tuple[QuarantinedLine, str]:
        """Return one line, open or not, and its text.

        Raises:
            NotFound: there is no line of this id.
            Unavailable: the registry cannot be reached.
        """
        rows = await self._fetch(_NAMED, viewer, wanted=[line_id])
        if not rows:
            raise NotFound("no line in quarantine has this id")
        return _line(rows[0]), self._text(rows[0])

    async def retry(self, ids: Sequence[int] | None, viewer: LineViewer = EVERYBODYS) -> FeedReport:
        """Try lines again, all open ones or those named, in the order in which they came.

        The report names lines by their ids in quarantine. A line that an earlier retry put in force
        counts as accepted once more.

        Raises:
            NotFound: one of the ids is unknown; nothing was tried.
            Unavailable: the registry cannot be reached. Earlier lines may stand.
        """
        if ids is not None:
            known = {row["pk"] for row in await self._fetch(_IDS, viewer, wanted=list(ids))}
            if known != set(ids):
                raise NotFound("not all of these ids are those of lines in quarantine")
        return await self._changes.apply_again(self._slices(ids, viewer), viewer.courts)

    async def _slices(
        self, ids: Sequence[int] | None, viewer: LineViewer
    ) -> AsyncIterator[list[FeedLine]]:
        after = 0
        wanted = None if ids is None else sorted(set(ids))
        while True:
            if wanted is None:
                rows = await self._fetch(_OPEN, viewer, after=after, limit=SLICE_LINES)
            else:
                rows = await self._fetch(_NAMED, viewer, wanted=wanted[:SLICE_LINES])
                wanted = wanted[SLICE_LINES:]
            if not rows:
                return
            after = rows[-1]["pk"]
            yield [self._read(row) for row in rows]

    def _read(self, row: Any) -> FeedLine:
        # A line that was too long is kept without its text: it is too long again.
        raw = self._text(row).encode() or None
        line_format = LINE_FORMATS.get(row["format"])
        if line_format is None:
            read: Operation | LineRejected = LineRejected(
                RejectCode.INVALID_OPERATION, "the format of this line is not known any more"
            )
        else:
            read = self._changes.read(raw, line_format, shanghai_day(row["at"]))
        return FeedLine(
            feed=row["feed"],
            number=row["pk"],
            raw=raw or b"",
            read=read,
            line_format=row["format"],
            quarantined=row["pk"],
        )

    def _text(self, row: Any) -> str:
        return self._sealer.vault.open(row["raw"], QUARANTINE_RAW, row["feed"], str(row["line"]))

    async def _fetch(
        self, statement: Select[Any], viewer: LineViewer, **parameters: Any
    ) -> Sequence[Any]:
        if viewer.account_id is not None:
            statement = statement.where(quarantine.c.account_id == viewer.account_id)
        with driver_errors():
            return await fetch(self._engine, statement, parameters)


def _line(row: Any) -> QuarantinedLine:
    return QuarantinedLine(
        id=row["pk"],
        feed=row["feed"],
        format=row["format"],
        line=row["line"],
        code=RejectCode(row["code"]),
        detail=row["detail"],
        at=row["at"],
    )


_OPEN = (
    select(quarantine)
    .where(quarantine.c.resolved_version.is_(None), quarantine.c.pk > bindparam("after"))
    .order_by(quarantine.c.pk)
    .limit(bindparam("limit"))
)
_COUNT = select(func.count().label("open")).where(quarantine.c.resolved_version.is_(None))
_is_wanted = quarantine.c.pk == any_(bindparam("wanted", type_=ARRAY(BigInteger)))
_NAMED = select(quarantine).where(_is_wanted).order_by(quarantine.c.pk)
_IDS = select(quarantine.c.pk).where(_is_wanted)
