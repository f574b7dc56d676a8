"""The newest changes of the list, each with what it brought."""

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.registry.schema import change, listing, quarantine
from checker.registry.versions import ChangeKind


class ChangeBrought(msgspec.Struct, frozen=True, kw_only=True):
    """One change: the lines that were accepted and rejected, and the listings that it ended.

    `quarantined` counts those of its rejected lines that still wait in quarantine.
    """

    version: int
    kind: ChangeKind
    at: datetime
    accepted: int
    rejected: int
    ended: int
    quarantined: int


async def read_changes(
    engine: AsyncEngine, *, before: int | None, limit: int
) -> tuple[ChangeBrought, ...]:
    """Return up to `limit` changes, newest first, with versions below `before`.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    page = _PAGE if before is None else _PAGE.where(change.c.version < before)
    with driver_errors():
        rows = await fetch(engine, page, {"limit": limit})
    return tuple(
        ChangeBrought(
            version=row["version"],
            kind=ChangeKind(row["kind"]),
            at=row["at"],
            accepted=row["accepted"],
            rejected=row["rejected"],
            ended=row["ended"],
            quarantined=row["quarantined"],
        )
        for row in rows
    )


_ENDED = select(func.count()).where(listing.c.until_version == change.c.version).scalar_subquery()
_QUARANTINED = (
    select(func.count())
    .where(quarantine.c.version == change.c.version, quarantine.c.resolved_version.is_(None))
    .scalar_subquery()
)
_PAGE = (
    select(
        change.c.version,
        change.c.kind,
        change.c.at,
        change.c.accepted,
        change.c.rejected,
        _ENDED.label("ended"),
        _QUARANTINED.label("quarantined"),
    )
    .order_by(change.c.version.desc())
    .limit(bindparam("limit"))
)
