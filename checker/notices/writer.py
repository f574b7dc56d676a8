"""Writes notices: follows the changes of the list and the clock, in the order of their instants.

Changes are numbered without a gap, and no change is committed before the change in front of it. So
one version number names all changes that a pass has done. Each step and its notices are one
transaction: a writer may die anywhere, and another writer goes on. Two passes do every step:

- The first pass writes notices at once.
- A decision may read the list before a change, and be committed after the first pass did the
  change. So the second pass does each step again, as soon as no transaction of the database is left
  that began before the first pass did the step (`checker.notices.fence`).

Both passes may meet the same decision. A decision gets one notice of each ending.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock
from checker.notices.due import (
    MadeChange,
    endings_of_changes,
    endings_of_date,
    endings_of_late_change,
    next_date,
)
from checker.notices.ending import Ending
from checker.notices.schema import notice_progress
from checker.notices.told import write_notices
from checker.registry.schema import change
from checker.vault import Vault

VERSIONS_AT_ONCE: Final = 500
"""Changes of one step: five seconds of a busy list."""


class Pass(StrEnum):
    """The two passes."""

    FIRST = "first"
    AGAIN = "again"


class NoticePosition(msgspec.Struct, frozen=True, kw_only=True):
    """The newest change and the latest date that a pass has done; `instant` None: no date yet."""

    version: int
    instant: datetime | None


_CHANGES_AHEAD: Final = select(change.c.version, change.c.at).order_by(change.c.version)


class NoticeWriter:
    """Takes the steps of both passes. `engine` has no bound on the time of a statement."""

    def __init__(self, engine: AsyncEngine, clock: Clock, vault: Vault) -> None:
        self._engine = engine
        self._clock = clock
        self._vault = vault

    async def position(self, which: Pass) -> NoticePosition:
        """Return the position of a pass. Raises Unavailable."""
        with driver_errors():
            async with self._engine.connect() as connection:
                return await _position(connection, which)

    async def step(self, which: Pass, *, limit: NoticePosition | None = None) -> int | None:
        """Take one step of a pass, not past `limit`, and return the number of notices written.

        Return None when no change and no date was due. Raises Unavailable when PostgreSQL is away;
        then nothing was written.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                await hold_to_commit(connection, Lock.NOTICE_WRITER)
                position = await _position(connection, which)
                step = await self._next_step(connection, position, limit)
                if step is None:
                    return None
                reached, endings = step
                written = await write_notices(connection, endings, self._clock.now(), self._vault)
                await connection.execute(
                    update(notice_progress)
                    .where(notice_progress.c["pass"] == which)
                    .values(version=reached.version, instant=reached.instant)
                )
                return written

    async def _next_step(
        self, connection: AsyncConnection, position: NoticePosition, limit: NoticePosition | None
    ) -> tuple[NoticePosition, Sequence[Ending]] | None:
        """Return the position after the next step, and the endings of the step; None: no step.

        A step is one date, or the changes before the next date.
        """
        ahead = _CHANGES_AHEAD.where(change.c.version > position.version).limit(VERSIONS_AT_ONCE)
        if limit is not None:
            ahead = ahead.where(change.c.version <= limit.version)
        rows = await connection.execute(ahead)
        changes = [MadeChange(version=row.version, at=row.at) for row in rows]
        now = self._clock.now() if limit is None else limit.instant
        instant = position.instant
        if instant is None:
            if now is None and not changes:
                return None
            instant = min(at for at in (now, changes[0].at if changes else None) if at is not None)
        if changes and changes[0].at < instant:
            return await _late_step(connection, changes[0], instant)
        changes = list(takewhile(lambda each: each.at >= instant, changes))
        upto = changes[-1].version if changes else position.version
        date = await next_date(connection, instant=instant, versions=(position.version, upto))
        if now is not None and date <= now:
            changes = list(takewhile(lambda each: each.at < date, changes))
            if not changes:
                reached = NoticePosition(version=position.version, instant=date)
                return reached, await endings_of_date(
                    connection, instant=date, version=position.version
                )
        if not changes:
            return None
        reached = NoticePosition(version=changes[-1].version, instant=instant)
        endings = await endings_of_changes(connection, after=position.version, upto=reached.version)
        return reached, _in_order(endings)


async def _position(connection: AsyncConnection, which: Pass) -> NoticePosition:
    of_pass = select(notice_progress).where(notice_progress.c["pass"] == which)
    row = (await connection.execute(of_pass)).one()
    return NoticePosition(version=row.version, instant=row.instant)


async def _late_step(
    connection: AsyncConnection, late: MadeChange, instant: datetime
) -> tuple[NoticePosition, Sequence[Ending]]:
    """Return the step of a change that was made before `instant`, a date that is done already."""
    written = await endings_of_changes(connection, after=late.version - 1, upto=late.version)
    passed = await endings_of_late_change(connection, late, instant=instant)
    reached = NoticePosition(version=late.version, instant=instant)
    return reached, _in_order([*written, *passed])


def _in_order(endings: Sequence[Ending]) -> Sequence[Ending]:
    """Return endings in the order of their changes, with the final endings of a change last."""
    return sorted(endings, key=lambda ending: (ending.before_version or 0, ending.is_final))
