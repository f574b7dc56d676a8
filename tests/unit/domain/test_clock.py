"""Days and periods are those of Asia/Shanghai, instants those of UTC."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from checker.domain.clock import (
    SHANGHAI,
    CapPeriod,
    SystemClock,
    instant_text,
    period_end,
    period_start,
    shanghai_day,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_the_day_changes_at_four_in_the_afternoon_utc() -> None:
    assert shanghai_day(utc(2026, 11, 22, 15, 59, 59, 999999)) == date(2026, 11, 22)
    assert shanghai_day(utc(2026, 11, 22, 16)) == date(2026, 11, 23)


def test_the_offset_is_that_of_the_time_zone_database() -> None:
    for year in range(1992, 2038):
        for month in range(1, 13):
            instant = utc(year, month, 1)
            expected = instant.astimezone(ZoneInfo("Asia/Shanghai")).utcoffset()
            assert instant.astimezone(SHANGHAI).utcoffset() == expected


@pytest.mark.parametrize(
    ("period", "instant", "start", "end"),
    [
        (CapPeriod.DAY, (2026, 11, 22, 16), (2026, 11, 22, 16), (2026, 11, 23, 16)),
        (CapPeriod.DAY, (2026, 11, 22, 15, 59), (2026, 11, 21, 16), (2026, 11, 22, 16)),
        (CapPeriod.MONTH, (2026, 11, 30, 15), (2026, 10, 31, 16), (2026, 11, 30, 16)),
        (CapPeriod.MONTH, (2026, 11, 30, 16), (2026, 11, 30, 16), (2026, 12, 31, 16)),
        (CapPeriod.MONTH, (2028, 2, 10), (2028, 1, 31, 16), (2028, 2, 29, 16)),
        (CapPeriod.MONTH, (2026, 12, 31, 16), (2026, 12, 31, 16), (2027, 1, 31, 16)),
        (CapPeriod.YEAR, (2026, 12, 31, 15, 59), (2025, 12, 31, 16), (2026, 12, 31, 16)),
        (CapPeriod.YEAR, (2026, 12, 31, 16), (2026, 12, 31, 16), (2027, 12, 31, 16)),
    ],
)
def test_a_period_is_one_of_the_calendar_in_shanghai(
    period: CapPeriod, instant: tuple[int, ...], start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    assert period_start(period, utc(*instant)) == utc(*start)
    assert period_end(period, utc(*instant)) == utc(*end)


@pytest.mark.parametrize("period", CapPeriod)
def test_periods_follow_each_other_without_gap_or_overlap(period: CapPeriod) -> None:
    instant = utc(2024, 1, 1)
    for _ in range(800):
        end = period_end(period, instant)
        assert period_start(period, instant) <= instant < end
        assert period_start(period, end) == end
        assert period_end(period, end - timedelta(microseconds=1)) == end
        instant = end if period is CapPeriod.DAY else instant + timedelta(days=1)


def test_an_instant_is_written_in_utc_with_milliseconds() -> None:
    assert instant_text(utc(2026, 11, 23, 1, 2, 3, 456999)) == "2026-11-23T01:02:03.456Z"
    assert instant_text(datetime(2026, 12, 1, tzinfo=SHANGHAI)) == "2026-11-30T16:00:00.000Z"


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
