"""The versions of the list: each change has a number, a random id, and a history."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec
from sqlalchemy import Executable, RowMapping, Text, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.changes import Position
from checker.registry.schema import change
from checker.registry.server_run import CURRENT_HISTORY

CHANGE_CHANNEL = "checker_change"
"""Where PostgreSQL notifies of each committed change (NOTIFY), for the publisher."""


class ChangeKind(StrEnum):
    """The kinds of change of the list."""

    SNAPSHOT = "snapshot"
    PART = "part"
    """A snapshot of some courts, which replaces their part of the list."""
    CHANGES = "changes"
    DEMO = "demo"


class ListVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the list: its number, its random id, its history, and when it was made."""

    version: int
    at: datetime
    kind: ChangeKind
    change_id: str
    history: str

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """Return the version of a row that has the columns `VERSION_COLUMNS`."""
        return cls(
            version=row["version"],
            at=row["at"],
            kind=ChangeKind(row["kind"]),
            change_id=row["change_id"].hex,
            history=row["history"].hex,
        )

    @property
    def at_ms(self) -> int:
        """The instant in Unix milliseconds."""
        return round(self.at.timestamp() * 1000)

    @property
    def position(self) -> Position:
        """The version as the cache names it."""
        return Position(
            version=self.version,
            as_of_ms=self.at_ms,
            change_id=self.change_id,
            history=self.history,
        )


VERSION_COLUMNS = (
    change.c.version,
    change.c.at,
    change.c.kind,
    change.c.change_id,
    change.c.history,
)
_versions = select(*VERSION_COLUMNS).order_by(change.c.version.desc())

# One statement for the number, the row and the notification: each trip is time behind the lock.
_NUMBER = (
    insert(change)
    .values(
        version=select(func.coalesce(func.max(change.c.version), 0) + 1).scalar_subquery(),
        change_id=func.gen_random_uuid(),
        history=CURRENT_HISTORY.scalar_subquery(),
        kind=bindparam("kind"),
        at=bindparam("at"),
        accepted=bindparam("accepted"),
        rejected=bindparam("rejected"),
    )
    .returning(*VERSION_COLUMNS, func.pg_notify(CHANGE_CHANNEL, change.c.version.cast(Text)))
)


async def newest_version(connection: AsyncConnection) -> ListVersion | None:
    """Read the list's version; None: no list was ever taken in."""
    return await _first(connection, _versions.limit(1))


async def version_numbered(connection: AsyncConnection, version: int) -> ListVersion | None:
    """Read the change of a number; None: there is none."""
    return await _first(connection, _versions.where(change.c.version == version))


async def version_at(connection: AsyncConnection, instant: datetime) -> ListVersion | None:
    """Read the version that was the newest at an aware `instant`; None: there was no list yet."""
    return await _first(connection, _versions.where(change.c.at <= instant).limit(1))


async def list_origin(connection: AsyncConnection) -> ChangeKind | None:
    """Return the kind of the last change that replaced the whole list; None: there was none."""
    parts = (ChangeKind.CHANGES, ChangeKind.PART)
    whole = _versions.where(change.c.kind.not_in(parts)).limit(1)
    newest = await _first(connection, whole)
    return None if newest is None else newest.kind


async def put_change(
    connection: AsyncConnection, *, kind: ChangeKind, at: datetime, accepted: int, rejected: int
) -> ListVersion:
    """Number the change; the caller holds `Lock.LIST_WRITER`, so numbers have no gap.

    PostgreSQL notifies the listeners when the transaction commits.
    """
    row = {"kind": kind, "at": at, "accepted": accepted, "rejected": rejected}
    return ListVersion.of((await connection.execute(_NUMBER, row)).mappings().one())


async def _first(connection: AsyncConnection, statement: Executable) -> ListVersion | None:
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else ListVersion.of(row)
