"""Adverse decisions of a month by day and by measure, counted as the monthly report counts them."""

from datetime import date
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.clock import month_range

_COUNTS: Final = """
    count(*) FILTER (WHERE outcome = 'deny') AS denied,
    count(*) FILTER (WHERE outcome = 'review') AS reviewed,
    count(*) FILTER (WHERE outcome = 'cap') AS capped
"""
_MONTH: Final = """
    FROM decision{lateral} WHERE at >= :since AND at < :until AND account_id IS NOT NULL
"""
_DAY: Final = "CAST(at AT TIME ZONE 'Asia/Shanghai' AS date) AS day"
_MEASURES: Final = """ CROSS JOIN LATERAL (
        SELECT DISTINCT reason ->> 'measure' AS measure
        FROM jsonb_array_elements(reasons) AS reason
    ) AS named
"""
_BY_DAY: Final = text(f"SELECT {_DAY}, {_COUNTS} {_MONTH.format(lateral='')} GROUP BY 1 ORDER BY 1")
_BY_MEASURE: Final = text(
    f"SELECT {_DAY}, measure, {_COUNTS} {_MONTH.format(lateral=_MEASURES)}"
    " GROUP BY 1, 2 ORDER BY 1, 2"
)


class DayCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The adverse decisions of a day of Shanghai."""

    day: date
    denied: int
    reviewed: int
    capped: int


class MeasureDay(DayCounts, frozen=True, kw_only=True):
    """Those of a day by one measure. A decision with two measures counts for both."""

    measure: str


class DailyReport(msgspec.Struct, frozen=True, kw_only=True):
    """A month of decisions. A day without an adverse decision has no row."""

    days: tuple[DayCounts, ...]
    measures: tuple[MeasureDay, ...]


async def daily_report(engine: AsyncEngine, month: date) -> DailyReport:
    """Return the days of a month. `engine` is one without a bound on statements.

    Raises:
        ValueError: there is no such month (`checker.domain.clock.month_range`).
        Unavailable: PostgreSQL is away.
    """
    since, until = month_range(month)
    span = {"since": since, "until": until}
    with driver_errors():
        days = await fetch(engine, _BY_DAY, span)
        measures = await fetch(engine, _BY_MEASURE, span)
    return DailyReport(
        days=tuple(DayCounts(**{str(k): v for k, v in row.items()}) for row in days),
        measures=tuple(MeasureDay(**{str(k): v for k, v in row.items()}) for row in measures),
    )
