"""Writes notices: follows the changes of the list and the clock, in the order of their instants.

Changes are numbered without a gap and none is committed before the one in front of it; so "the
version told of" says all. Each step, with the notices that it leads to, is one transaction: a
writer may die anywhere and another goes on. There are two passes over everything:

- the first tells at once whoever was told of a restriction;
- a decision may have read the list before a change and be committed after the first pass was there.
  So the second goes over the same once more, when no transaction of the database is left that had
  begun before (`checker.notices.fence`), and finds what the first could not see.

Both may meet the same decision; whoever has heard of an ending is not told again.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock, shanghai_day
from checker.notices.changed import endings_by_changes
from checker.notices.ending import Ending
from checker.notices.passed import endings_by_the_clock, next_day
from checker.notices.permitted import (
    endings_by_begun_permits,
    endings_by_grants,
    first_grant_for_later,
    next_permit_begins,
)
from checker.notices.schema import notice_progress
from checker.notices.told import tell
from checker.registry.schema import change

VERSIONS_AT_ONCE: Final = 500
"""Changes of one step: five seconds of a busy list."""


class Pass(StrEnum):
    """Which pass."""

    FIRST = "first"
    AGAIN = "again"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a pass has come; `instant` None: nothing has been told by the clock yet."""

    version: int
    instant: datetime | None


_CHANGES_AHEAD: Final = select(change.c.version, change.c.at).order_by(change.c.version)


class NoticeWriter:
    """Takes steps. `engine` is one without a bound on statements."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def position(self, which: Pass) -> Position:
        """Tell how far a pass has come. Raises Unavailable."""
        with driver_errors():
            async with self._engine.connect() as connection:
                return await _position(connection, which)

    async def step(self, which: Pass, *, limit: Position | None = None) -> int | None:
        """Take one step, and not past `limit`; give the notices written, None: nothing was due.

        Raises:
            Unavailable: PostgreSQL is away; nothing was written.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                await hold_to_commit(connection, Lock.NOTICE_WRITER)
                position = await _position(connection, which)
                step = await self._next_step(connection, position, limit)
                if step is None:
                    return None
                reached, endings = step
                written = await tell(connection, endings, self._clock.now())
                await connection.execute(
                    update(notice_progress)
                    .where(notice_progress.c["pass"] == which)
                    .values(version=reached.version, instant=reached.instant)
                )
                return written

    async def _next_step(
        self, connection: AsyncConnection, position: Position, limit: Position | None
    ) -> tuple[Position, list[Ending]] | None:
        """Tell what comes next, the clock or changes, and what it ends."""
        ahead = _CHANGES_AHEAD.where(change.c.version > position.version).limit(VERSIONS_AT_ONCE)
        if limit is not None:
            ahead = ahead.where(change.c.version <= limit.version)
        changes = (await connection.execute(ahead)).all()
        now = self._clock.now() if limit is None else limit.instant
        instant = position.instant
        if instant is None:
            if now is None and not changes:
                return None
            instant = min(at for at in (now, changes[0].at if changes else None) if at is not None)
        due = await _due(connection, instant, position.version)
        if now is not None and due <= now:
            changes = _before(changes, due)
            if not changes:
                reached = Position(version=position.version, instant=due)
                return await _by_the_clock(connection, reached)
        if not changes:
            return None
        upto: int = changes[-1].version
        # Such a permit may begin before the change after it.
        last = await first_grant_for_later(connection, after=position.version, upto=upto)
        reached = Position(version=upto if last is None else last, instant=instant)
        return reached, await _by_changes(connection, position, reached)


async def _position(connection: AsyncConnection, which: Pass) -> Position:
    of_pass = select(notice_progress).where(notice_progress.c["pass"] == which)
    row = (await connection.execute(of_pass)).one()
    return Position(version=row.version, instant=row.instant)


async def _due(connection: AsyncConnection, instant: datetime, version: int) -> datetime:
    """Tell the next instant after one at which the clock may end something."""
    begins = await next_permit_begins(connection, instant=instant, version=version)
    day = next_day(instant)
    return day if begins is None else min(begins, day)


def _before(changes: Any, due: datetime) -> list[Any]:
    """Give the changes up to the first that came when the clock was due."""
    there = []
    for each in changes:
        if each.at >= due:
            break
        there.append(each)
    return there


async def _by_the_clock(
    connection: AsyncConnection, reached: Position
) -> tuple[Position, list[Ending]]:
    assert reached.instant is not None
    at = {"instant": reached.instant, "version": reached.version}
    begun = await endings_by_begun_permits(connection, **at)  # type: ignore[arg-type]
    ended = await endings_by_the_clock(connection, **at)  # type: ignore[arg-type]
    return reached, [*begun, *ended]


async def _by_changes(
    connection: AsyncConnection, position: Position, reached: Position
) -> list[Ending]:
    after, upto = position.version, reached.version
    today = None if position.instant is None else shanghai_day(position.instant)
    granted = await endings_by_grants(connection, after=after, upto=upto, instant=position.instant)
    ended = await endings_by_changes(connection, after=after, upto=upto, today=today)
    # In the order of the changes, and within one what is final last.
    return sorted(
        [*granted, *ended], key=lambda ending: (ending.before_version or 0, ending.is_final)
    )
