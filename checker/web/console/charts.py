"""Bar charts as numbers for an SVG: the template draws them, without a style or script in the page.

A chart is a picture of a table that stands beside it, so nothing is said by the picture alone.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from checker.audit.daily_report import DayCounts

WIDTH: Final = 720
HEIGHT: Final = 180
GAP: Final = 4
AXIS: Final = 22
"""Room below the bars for the days."""


class BarPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a bar: a rectangle of a class."""

    name: str
    y: float
    height: float


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One day: its place, its parts from the bottom up, and its counts."""

    day: date
    counts: DayCounts
    x: float
    width: float
    parts: tuple[BarPart, ...]


class BarChart(msgspec.Struct, frozen=True, kw_only=True):
    """The bars of a month up to today, all on one scale."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    axis_y: int
    most: int


def month_chart(days: Sequence[DayCounts], today: date) -> BarChart:
    """Return the chart of a month, from its first day to `today`."""
    found = {each.day: each for each in days}
    first = today.replace(day=1)
    shown = [first + timedelta(days=index) for index in range(today.day)]
    counts = [found.get(day, DayCounts(day=day, denied=0, reviewed=0, capped=0)) for day in shown]
    most = max((each.denied + each.reviewed + each.capped for each in counts), default=0)
    slot = WIDTH / 31
    bars = tuple(_bar(each, index * slot, slot - GAP, most) for index, each in enumerate(counts))
    return BarChart(bars=bars, width=WIDTH, height=HEIGHT, axis_y=HEIGHT - AXIS, most=most)


def _bar(counts: DayCounts, x: float, width: float, most: int) -> Bar:
    room = HEIGHT - AXIS - GAP
    y = float(HEIGHT - AXIS)
    parts = []
    for name, count in (
        ("deny", counts.denied),
        ("review", counts.reviewed),
        ("cap", counts.capped),
    ):
        height = room * count / most if most else 0.0
        y -= height
        if count:
            parts.append(BarPart(name=name, y=round(y, 1), height=round(height, 1)))
    return Bar(
        day=counts.day, counts=counts, x=round(x, 1), width=round(width, 1), parts=tuple(parts)
    )
