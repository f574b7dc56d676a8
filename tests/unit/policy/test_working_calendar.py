"""The calendar of working days, against two libraries that others maintain."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from checker.policy.calendar import builtin_calendar

CALENDAR = builtin_calendar()
NOTICE = re.compile(r"国(办)?发明电〔(\d{4})〕\d{1,3}号")


def days_of(first: int, last: int) -> Iterator[date]:
    day = date(first, 1, 1)
    while day.year <= last:
        yield day
        day += timedelta(days=1)


def test_the_calendar_has_each_year_from_2013_to_the_last_announced_one() -> None:
    years = [year.year for year in CALENDAR.years]
    assert years == list(range(2013, CALENDAR.last_year + 1))


def test_each_year_names_the_notice_of_the_year_before() -> None:
    for year in CALENDAR.years:
        found = NOTICE.fullmatch(year.notice)
        assert found is not None, year.year
        assert int(found[2]) == year.year - 1
        assert year.changed_by is None or NOTICE.fullmatch(year.changed_by)


def test_spans_are_in_order_and_worked_days_are_days_of_weekends_outside_of_them() -> None:
    for year in CALENDAR.years:
        ends = [day for span in year.holidays for day in span]
        assert ends == sorted(ends), year.year
        assert list(year.workdays) == sorted(set(year.workdays)), year.year
        assert all(day.weekday() >= 5 for day in year.workdays), year.year
        assert not any(
            first <= day <= last for day in year.workdays for first, last in year.holidays
        )
        nearby = {date(year.year - 1, 12, 29) + timedelta(days=days) for days in range(3)}
        assert all(day.year == year.year or day in nearby for day in [*ends, *year.workdays])


def test_the_calendar_agrees_with_chinese_calendar_on_each_day_that_both_know() -> None:
    last = chinese_calendar.constants.holidays
    known = min(max(last).year, CALENDAR.last_year)
    differing = [
        day
        for day in days_of(2013, known)
        if chinese_calendar.is_workday(day) != CALENDAR.is_working(day)
    ]
    assert differing == []
    assert max(last).year <= CALENDAR.last_year, "a year was announced: add its notice"


def test_the_calendar_agrees_with_holidays_on_each_day_that_both_know() -> None:
    theirs = holidays.country_holidays("CN", years=range(2012, CALENDAR.last_year + 2))
    announced = theirs.special_public_holidays
    known = min(max(announced), CALENDAR.last_year)
    differing = [
        day
        for day in days_of(2013, known)
        if theirs.is_working_day(day) != CALENDAR.is_working(day)
    ]
    assert differing == []
    assert max(announced) <= CALENDAR.last_year, "a year was announced: add its notice"


@pytest.mark.parametrize("year", [2012, CALENDAR.last_year + 1])
def test_a_year_without_a_notice_has_weekends_alone(year: int) -> None:
    own = {day for arranged in CALENDAR.years for span in arranged.holidays for day in span}
    own |= {day for arranged in CALENDAR.years for day in arranged.workdays}
    for day in days_of(year, year):
        if day not in own:
            assert CALENDAR.is_working(day) == (day.weekday() < 5)
