"""Working days, and the last day of a time that the law gives in days.

A time of days begins on the day after its event (民法典, article 201). A time that ends on a day
off ends on the next working day (article 203). Days are days of Asia/Shanghai.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import msgspec

_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class DueBasis(StrEnum):
    """How the days of a time are counted."""

    CALENDAR_ROLL = "calendar_roll"
    """All days count. If the last day is a day off, the time ends on the next working day."""
    WORKING = "working"
    """Only working days count."""


class DueDay(msgspec.Struct, frozen=True, kw_only=True):
    """The last day of a time, and how the days were counted.

    `provisional`: a day was counted whose year has no announced calendar yet.
    """

    on: date
    basis: DueBasis
    provisional: bool


class ArrangedYear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The working days of a year, as the State Council's notice arranges them.

    `holidays` are spans of days off, with both ends. `workdays` are Saturdays and Sundays that are
    worked. `changed_by` names a later notice that is worked in.
    """

    year: int
    notice: str
    changed_by: str | None = None
    holidays: tuple[tuple[date, date], ...]
    workdays: tuple[date, ...]


class WorkingCalendar:
    """The working days of the announced years; `years` are in order.

    In any other year Monday to Friday are working days.
    """

    def __init__(self, years: Iterable[ArrangedYear]) -> None:
        self.years: Final = tuple(years)
        self.last_year: Final = self.years[-1].year
        self._days_off = frozenset(
            first + days * _ONE_DAY
            for year in self.years
            for first, last in year.holidays
            for days in range((last - first).days + 1)
        )
        self._worked = frozenset(day for year in self.years for day in year.workdays)

    def is_working(self, day: date) -> bool:
        """Whether `day` is a working day."""
        if day in self._worked:
            return True
        return day.weekday() < _SATURDAY and day not in self._days_off

    def next_working(self, day: date) -> date:
        """Return the first working day after `day`."""
        day += _ONE_DAY
        while not self.is_working(day):
            day += _ONE_DAY
        return day


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """Finds the last day of a time by a calendar, on one basis."""

    calendar: WorkingCalendar
    basis: DueBasis

    def due(self, event_on: date, days: int) -> DueDay:
        """Return the last day of a time of `days` that an event on `event_on` starts."""
        on = event_on
        if self.basis is DueBasis.WORKING:
            for _ in range(days):
                on = self.calendar.next_working(on)
        else:
            on = self.calendar.next_working(event_on + (days - 1) * _ONE_DAY)
        return DueDay(on=on, basis=self.basis, provisional=on.year > self.calendar.last_year)

    def last_over(self, today: date, days: int) -> date:
        """Return the last day of an event whose time of `days` is over on `today`.

        The time of every earlier event is over too, because a later event never ends earlier.
        """
        event_on = today - (days + 1) * _ONE_DAY
        while self.due(event_on, days).on >= today:
            event_on -= _ONE_DAY
        return event_on
