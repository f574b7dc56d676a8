"""What the clock ends: days of delistings, expiries and retentions that have come.

A day comes with its beginning in Asia/Shanghai. What is in force then is what the change before it
left.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.domain.clock import CapPeriod, period_end, period_start, shanghai_day
from checker.notices.changed import Retentions
from checker.notices.ending import Ending, Ground

_DELISTED: Final = text(
    """
SELECT d.listing_id, d.ground FROM directive d
WHERE d.kind = 'delisting' AND d."on" = :day
AND d.from_version <= :version AND (d.until_version IS NULL OR d.until_version > :version)
ORDER BY d.listing_id
"""
)

_EXPIRED: Final = text(
    """
SELECT l.id AS listing_id, CAST(:ground AS text) AS ground FROM listing l
WHERE l.expires_on = :day
AND l.from_version <= :version AND (l.until_version IS NULL OR l.until_version > :version)
AND EXISTS (SELECT FROM decision d WHERE d.listings @> ARRAY[l.id])
ORDER BY l.id
"""
)

# What is kept of a listing that has not ended is restricted by the listing itself.
_NO_LONGER_RETAINED: Final = text(
    """
SELECT DISTINCT t.listing_id, CAST(:ground AS text) AS ground FROM directive t
WHERE t.kind = 'retention' AND t."on" = :day
AND t.from_version <= :version AND (t.until_version IS NULL OR t.until_version > :version)
AND NOT EXISTS (
    SELECT FROM listing l
    WHERE l.id = t.listing_id AND (l.expires_on IS NULL OR l.expires_on > :day)
    AND l.from_version <= :version AND (l.until_version IS NULL OR l.until_version > :version)
    AND NOT EXISTS (
        SELECT FROM directive d
        WHERE d.listing_id = l.id AND d.kind = 'delisting' AND d."on" <= :day
        AND d.from_version <= :version AND (d.until_version IS NULL OR d.until_version > :version)
    )
)
ORDER BY t.listing_id
"""
)


def next_day(instant: datetime) -> datetime:
    """Give the instant at which the day after that of `instant` begins."""
    return period_end(CapPeriod.DAY, instant)


async def endings_by_the_clock(
    connection: AsyncConnection, *, instant: datetime, version: int
) -> Sequence[Ending]:
    """Tell what ends at an instant, by the list of a version; nothing where no day begins then."""
    if period_start(CapPeriod.DAY, instant) != instant:
        return ()
    day = shanghai_day(instant)
    at = {"day": day, "version": version}
    rows = [
        *await connection.execute(_DELISTED, at),
        *await connection.execute(_EXPIRED, at | {"ground": Ground.EXPIRED}),
        *await connection.execute(_NO_LONGER_RETAINED, at | {"ground": Ground.RETENTION_OVER}),
    ]
    retentions = await Retentions.read(connection, sorted({row.listing_id for row in rows}))
    return [
        Ending(
            listing_id=row.listing_id,
            key=f"{day}:end",
            ground=row.ground,
            ended_on=day,
            before_at=instant,
            kept=retentions.of(row.listing_id, version=version, day=day),
            is_final=True,
        )
        for row in rows
    ]
