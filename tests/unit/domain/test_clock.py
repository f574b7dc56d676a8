"""Days and periods are those of Asia/Shanghai, instants those of UTC."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from checker.domain.clock import (
    SHANGHAI,
    CapPeriod,
    SystemClock,
    instant_or_day,
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


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23", utc(2026, 11, 22, 16)),
        ("2026-01-01", utc(2025, 12, 31, 16)),
        ("2028-02-29", utc(2028, 2, 28, 16)),
        ("9999-12-31", utc(9999, 12, 30, 16)),
        ("2026-11-23T01:02:03Z", utc(2026, 11, 23, 1, 2, 3)),
        ("2026-11-23T01:02:03.456Z", utc(2026, 11, 23, 1, 2, 3, 456000)),
        ("2026-11-23t01:02:03z", utc(2026, 11, 23, 1, 2, 3)),
        ("2026-11-23T01:02:03+08:00", utc(2026, 11, 22, 17, 2, 3)),
        ("2026-11-23T01:02:03-09:30", utc(2026, 11, 23, 10, 32, 3)),
    ],
)
def test_an_instant_is_read_as_it_is_and_a_day_as_its_beginning(
    text: str, instant: datetime
) -> None:
    read = instant_or_day(text)
    assert read == instant
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23T01:02:03",
        "2026-11-23T01:02Z",
        "2026-11-23T01:02:03+08",
        "2026-11-23T01:02:03+24:00",
        "2026-11-23T01:02:03+08:99",
        "2026-11-23T24:00:00Z",
        "2026-11-23T01:02:03Z\n",
        "20261123T010203Z",
        "20261123",
        "2026-02-29",
        "2026-2-1",
        "2026-W48-1",
        "２０２６-11-23",
        "2026年11月23日",
        "1764000000",
        "0001-01-01",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "440882188501010221",
    ],
)
def test_what_is_neither_an_instant_nor_a_day_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="instant") as refused:
        instant_or_day(text)
    assert not text or text not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
