"""The last day of a time of three days, by both bases."""

from datetime import date

import pytest

from checker.domain.deadlines import Deadlines, DueBasis
from checker.policy.calendar import builtin_calendar

ROLL, WORKING = DueBasis.CALENDAR_ROLL, DueBasis.WORKING


@pytest.mark.parametrize(
    ("event_on", "basis", "due_on"),
    [
        (date(2026, 9, 30), ROLL, date(2026, 10, 8)),
        (date(2026, 9, 30), WORKING, date(2026, 10, 10)),
        (date(2026, 11, 23), ROLL, date(2026, 11, 26)),
        (date(2026, 11, 23), WORKING, date(2026, 11, 26)),
        # A Saturday rolls to Monday.
        (date(2026, 11, 25), ROLL, date(2026, 11, 30)),
        (date(2026, 11, 25), WORKING, date(2026, 11, 30)),
        # A weekend in the middle counts by the calendar alone.
        (date(2026, 11, 20), ROLL, date(2026, 11, 23)),
        (date(2026, 11, 20), WORKING, date(2026, 11, 25)),
        # A Saturday that is worked is no day off.
        (date(2026, 2, 25), ROLL, date(2026, 2, 28)),
        (date(2026, 2, 25), WORKING, date(2026, 2, 28)),
        (date(2026, 2, 13), ROLL, date(2026, 2, 24)),
        (date(2026, 2, 13), WORKING, date(2026, 2, 25)),
        # The Spring Festival of 2020 was extended while it lasted.
        (date(2020, 1, 28), ROLL, date(2020, 2, 3)),
    ],
)
def test_three_days_end_on_a_working_day(event_on: date, basis: DueBasis, due_on: date) -> None:
    due = Deadlines(calendar=builtin_calendar(), basis=basis).due(event_on, 3)
    assert (due.on, due.basis, due.provisional) == (due_on, basis, False)


@pytest.mark.parametrize(
    ("event_on", "basis", "due_on", "provisional"),
    [
        (date(2026, 12, 28), ROLL, date(2026, 12, 31), False),
        (date(2026, 12, 29), ROLL, date(2027, 1, 1), True),
        (date(2026, 12, 30), ROLL, date(2027, 1, 4), True),
        (date(2026, 12, 28), WORKING, date(2026, 12, 31), False),
        (date(2026, 12, 29), WORKING, date(2027, 1, 1), True),
        (date(2031, 10, 1), ROLL, date(2031, 10, 6), True),
    ],
)
def test_a_due_day_past_the_announced_years_is_provisional(
    event_on: date, basis: DueBasis, due_on: date, *, provisional: bool
) -> None:
    due = Deadlines(calendar=builtin_calendar(), basis=basis).due(event_on, 3)
    assert (due.on, due.provisional) == (due_on, provisional)
