"""Reads how much of the decisions and their chain the removals of months have left."""

from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.schema import removal
from checker.domain.clock import month_range
from checker.journal.chained_table import NO_LINK


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions that are left: those from `since` on (None: all), the first link, and the
    digest before the first link.
    """

    since: datetime | None
    first_link: int
    digest_before: bytes


async def what_is_kept(connection: AsyncConnection) -> Kept:
    """Return how much the removals so far have left."""
    newest = select(removal).order_by(removal.c.pk.desc()).limit(1)
    row = (await connection.execute(newest)).one_or_none()
    if row is None:
        return Kept(since=None, first_link=1, digest_before=NO_LINK)
    last = (await connection.execute(select(func.max(removal.c.month)))).scalar_one()
    return Kept(
        since=month_range(last)[1], first_link=row.first_link, digest_before=row.digest_before
    )
