"""Instants, days and periods. An instant is in UTC; a day is a day in Asia/Shanghai.

China has kept UTC+8 without summer time since 15 September 1991, and no instant here is earlier, so
a fixed offset is exact and needs no time-zone database on the machine.
"""

from calendar import monthrange
from datetime import MAXYEAR, UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated, Final, Protocol, assert_never

import msgspec

_AHEAD: Final = timedelta(hours=8)
SHANGHAI: Final = timezone(_AHEAD, "Asia/Shanghai")
_DAY_LENGTH: Final = len("YYYY-MM-DD")
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware instant; the API's document describes its format."""
InstantText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""An instant as `instant_text` writes it; the API's document describes the format."""


class CapPeriod(StrEnum):
    """The calendar period over which spending is counted."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Clock(Protocol):
    """Returns the present instant. Tests pass a clock that they set."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


def shanghai_day(instant: datetime) -> date:
    """Return the day of an aware `instant` in Asia/Shanghai."""
    if instant.tzinfo is UTC:  # as nearly always; a third of the time of `astimezone`
        return (instant + _AHEAD).date()
    return instant.astimezone(SHANGHAI).date()


def instant_text(instant: datetime) -> str:
    """Return an aware `instant` as the contract writes it: RFC 3339 in UTC, cut to milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_day(text: str) -> datetime:
    """Return the instant, in UTC, of an RFC 3339 text; a day means its beginning in Asia/Shanghai.

    So the day of an end is the first day on which the thing no longer holds, as everywhere here.

    Raises ValueError, which does not repeat the text, for any other text: also for an instant
    without an offset, and for an instant outside of the years 1 to 9999 of UTC.
    """
    # msgspec reads the text: `fromisoformat` also takes weeks and bare minutes, and its errors
    # quote the text.
    try:
        if len(text) == _DAY_LENGTH:
            return _midnight(msgspec.convert(text, date))
        return msgspec.convert(text, Instant).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError("must be an RFC 3339 instant with its offset, or a day") from None


def period_start(period: CapPeriod, instant: datetime) -> datetime:
    """Return the instant, in UTC, at which the `period` around `instant` began."""
    return _midnight(_first_day(period, shanghai_day(instant)))


def period_end(period: CapPeriod, instant: datetime) -> datetime:
    """Return the instant, in UTC, at which the `period` around `instant` ends."""
    first = _first_day(period, shanghai_day(instant))
    match period:
        case CapPeriod.DAY:
            return _midnight(first + timedelta(days=1))
        case CapPeriod.MONTH:
            return _midnight(_first_day(CapPeriod.MONTH, first + timedelta(days=31)))
        case CapPeriod.YEAR:
            return _midnight(first.replace(year=first.year + 1))
        case _:
            assert_never(period)


def month_after(instant: datetime) -> datetime:
    """Return the instant, in UTC, a month after `instant` by the calendar of Asia/Shanghai.

    The day and the time stay the same. Where the next month has no such day, its last day counts
    (民法典, article 202).

    Raises OverflowError past the year 9999.
    """
    local = instant.astimezone(SHANGHAI)
    year, month = local.year + local.month // 12, local.month % 12 + 1
    if year > MAXYEAR:
        raise OverflowError("there is no month after the year 9999")
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(UTC)


def month_range(first_day: date) -> tuple[datetime, datetime]:
    """Return the instants, in UTC, at which the month of a day of Shanghai begins and ends.

    Raises ValueError if the month lies outside of the years 1 to 9999 of UTC.
    """
    noon = datetime(first_day.year, first_day.month, 1, 12, tzinfo=SHANGHAI)
    try:
        return period_start(CapPeriod.MONTH, noon), period_end(CapPeriod.MONTH, noon)
    except OverflowError:
        raise ValueError("is a month that UTC does not have") from None


def _first_day(period: CapPeriod, day: date) -> date:
    match period:
        case CapPeriod.DAY:
            return day
        case CapPeriod.MONTH:
            return day.replace(day=1)
        case CapPeriod.YEAR:
            return day.replace(month=1, day=1)
        case _:
            assert_never(period)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
