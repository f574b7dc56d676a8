"""Numbers the changes of the list, and builds the cache's generations from it.

A generation is built from one version of the list, in one transaction's view, ordered by token so
that it streams. Rows in = rows in force, or the pointer is not switched (`cache.store`).
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Executable, Text, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.generation import Generation
from cache.store import StandingCache
from checker.registry.outline_copy import outlines
from checker.registry.schema import change, outline

CHANGE_CHANNEL = "checker_change"
"""Where PostgreSQL notifies of each committed change (NOTIFY), for the publisher."""


class ChangeKind(StrEnum):
    """What a change did to the list."""

    SNAPSHOT = "snapshot"
    CHANGES = "changes"
    DEMO = "demo"


class ListVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The number of a change, and when it was made."""

    version: int
    at: datetime
    kind: ChangeKind

    @property
    def at_ms(self) -> int:
        """The instant in Unix milliseconds."""
        return round(self.at.timestamp() * 1000)


# One statement for the number, the row and the word of it: each trip is time behind the lock.
_NUMBER = (
    insert(change)
    .values(
        version=select(func.coalesce(func.max(change.c.version), 0) + 1).scalar_subquery(),
        kind=bindparam("kind"),
        at=bindparam("at"),
        accepted=bindparam("accepted"),
        rejected=bindparam("rejected"),
    )
    .returning(change.c.version, func.pg_notify(CHANGE_CHANNEL, change.c.version.cast(Text)))
)
_versions = select(change.c.version, change.c.at, change.c.kind).order_by(change.c.version.desc())


async def newest_version(connection: AsyncConnection) -> ListVersion | None:
    """Read the list's version; None: no list was ever taken in."""
    return await _first(connection, _versions.limit(1))


async def version_at(connection: AsyncConnection, instant: datetime) -> ListVersion | None:
    """Read the version that was the newest at an aware `instant`; None: there was no list yet."""
    return await _first(connection, _versions.where(change.c.at <= instant).limit(1))


async def list_origin(connection: AsyncConnection) -> ChangeKind | None:
    """Tell how the whole list last came in: as a snapshot or by the demo; None: not yet."""
    whole = _versions.where(change.c.kind != ChangeKind.CHANGES).limit(1)
    newest = await _first(connection, whole)
    return None if newest is None else newest.kind


async def put_change(
    connection: AsyncConnection, *, kind: ChangeKind, at: datetime, accepted: int, rejected: int
) -> ListVersion:
    """Number the change; the caller holds `Lock.LIST_WRITER`, so numbers have no gap.

    Whoever listens is told once the transaction is committed.
    """
    row = {"kind": kind, "at": at, "accepted": accepted, "rejected": rejected}
    numbered = (await connection.execute(_NUMBER, row)).one()
    return ListVersion(version=numbered.version, at=at, kind=kind)


async def build_generation(
    connection: AsyncConnection, cache: StandingCache, version: ListVersion, token_key: str
) -> Generation:
    """Build the cache's next generation from the outlines as this connection's transaction sees
    them; it must see one state throughout.
    """
    counting = select(func.count()).select_from(outline)
    count = (await connection.execute(counting)).scalar_one()
    async with outlines(connection) as entries:
        return await cache.build(
            version=version.version,
            as_of_ms=version.at_ms,
            token_key=token_key,
            count=count,
            entries=entries,
        )


async def _first(connection: AsyncConnection, statement: Executable) -> ListVersion | None:
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return ListVersion(version=row.version, at=row.at, kind=ChangeKind(row.kind))
