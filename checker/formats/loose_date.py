"""Reads dates of records in all shapes that exporters write.

| shape                                   | example                                            |
|-----------------------------------------|----------------------------------------------------|
| year, month, day with any marks         | `2016年05月04日` `2016-5-4` `2016/05/04` `2016.5.4` |
| the same with a time                    | `2016-05-04 00:00:00` `2016/5/4 0:00`              |
| an instant with its offset              | `2016-05-03T16:00:00.000Z`                         |
| digits alone, also with hour to second  | `20160504` `20160504083000`                        |
| epoch seconds, milliseconds and smaller | `1462291200` `1462291200000`                       |
| days since 1899-12-30, as sheets count  | `42494`                                            |
| English, as Java writes it              | `May 4, 2016 12:00:00 AM` `Wed May 04 … CST 2016`  |
| an object or a list                     | `{"$date": 1462291200000}` `[2016, 5, 4]`          |

An instant means its day in Shanghai. Digits that can be a calendar date are read as such. Zeros
mean that nothing is known. A date before 1800 or in the year 9999 is a placeholder of some program,
and a date with the day in front has two readings: these dates are unreadable.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from checker.domain.clock import shanghai_day
from checker.formats.loose_text import read_text

EARLIEST: Final = date(1800, 1, 1)
"""No court filed an older case that a list of today names."""

DATE_LENGTH_MAX: Final = 64
"""A date with a time and a zone has half of it."""

DAYS_CACHED_MAX: Final = 10_000
"""A list of today names fewer days, each in one spelling of its exporter."""

_PLACEHOLDER_YEAR = 9999
_SHEET_DAYS = range(10_000, 100_000)  # 1927 to 2173
_SHEET_BEGINS = date(1899, 12, 30)
# The divisors of epoch seconds, by the number of digits: none, milli, micro, nano.
_EPOCH_DIVISORS = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}

_ZEROS = re.compile(r"[0\s年月日时分秒:./T+Z-]*")
_CALENDAR = re.compile(
    r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?(?P<time>(?:[T\s]|\d{1,2}时).*)?"
)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)\d{0,6})?)?)?")
_OFFSET = re.compile(r"[T\s]\d{1,2}:\d\d.*(?:Z|[+-]\d\d:?\d\d)")
_TIME = re.compile(r"[T\s]*(?:(?:上午|下午|AM|PM)?\s*\d{1,2}[:时点].*)?", re.IGNORECASE)
_MICROSOFT = re.compile(r"/?Date\((-?\d+)(?:[+-]\d{4})?\)/?")
_NUMBER = re.compile(r"(\d+)(?:\.\d*)?")
_ENGLISH = ("%b %d, %Y %I:%M:%S %p", "%b %d, %Y", "%a %b %d %H:%M:%S %Y")
_ZONE_NAME = re.compile(r" (?:CST|GMT\+08:00|GMT\+8|Asia/Shanghai) ")
_KEYS_OF_OBJECTS = ("$date", "$numberLong", "time", "value", "date")
_DEPTH_MAX = 3


class UnreadableDate(ValueError):
    """A value that is a date in no known shape. The text of the error does not hold the value."""


def read_date(value: object) -> date | None:
    """Return the date of a value, or None if the value says that nothing is known.

    Raises:
        UnreadableDate: the value has no known shape, or was never a day.
    """
    try:
        if isinstance(value, str) and len(value) <= DATE_LENGTH_MAX:
            return _read_text(value)
        return _plausible(_read(value, _DEPTH_MAX))
    except (ValueError, OverflowError, OSError):
        raise UnreadableDate("no date in a known shape") from None


@lru_cache(maxsize=DAYS_CACHED_MAX)
def _read_text(text: str) -> date | None:
    return _plausible(_read(text, _DEPTH_MAX))


def _plausible(day: date | None) -> date | None:
    if day is not None and (day < EARLIEST or day.year == _PLACEHOLDER_YEAR):
        raise ValueError
    return day


def _read(value: object, depth: int) -> date | None:
    if isinstance(value, dict) and depth:
        found = [value[key] for key in _KEYS_OF_OBJECTS if key in value]
        if value and not found:
            raise ValueError
        return _read(found[0], depth - 1) if found else None
    if isinstance(value, list) and depth:
        if len(value) >= 3 and all(isinstance(part, int) for part in value):
            return date(*value[:3])
        if len(value) > 1:
            raise ValueError
        return _read(value[0], depth - 1) if value else None
    if isinstance(value, (dict, list)) or value is True:
        raise ValueError
    if isinstance(value, float) and value == value // 1:
        value = int(value)
    text = read_text(value)
    if len(text) > DATE_LENGTH_MAX:
        raise ValueError
    text = unicodedata.normalize("NFKC", text).replace("\0", "").strip()
    return None if _ZEROS.fullmatch(text) else _of_text(text)


def _of_text(text: str) -> date:
    if match := _MICROSOFT.fullmatch(text):
        return _instant(int(match[1]) / 1000)
    if match := _NUMBER.fullmatch(text):
        return _of_digits(match[1])
    if match := _CALENDAR.fullmatch(text):
        time = match["time"] or ""
        if _OFFSET.fullmatch(time):
            return shanghai_day(datetime.fromisoformat(text))
        if not _TIME.fullmatch(time):
            raise ValueError
        return date(*map(int, match.groups()[:3]))
    return _of_english(_ZONE_NAME.sub(" ", text))


def _of_digits(digits: str) -> date:
    if (match := _DIGITS.fullmatch(digits)) and _is_time(match.groups()[3:]):
        try:
            return _required(_plausible(date(*map(int, match.groups()[:3]))))
        except ValueError:
            pass  # the digits may count seconds
    if len(digits) <= 5 and int(digits) in _SHEET_DAYS:
        return _SHEET_BEGINS + timedelta(days=int(digits))
    if len(digits) not in _EPOCH_DIVISORS:
        raise ValueError
    return _instant(int(digits) / _EPOCH_DIVISORS[len(digits)])


def _is_time(parts: Iterable[str | None]) -> bool:
    return all(
        part is None or int(part) < end for part, end in zip(parts, (24, 60, 60), strict=True)
    )


def _required(day: date | None) -> date:
    assert day is not None, "a date was given"
    return day


def _instant(seconds: float) -> date:
    return shanghai_day(datetime.fromtimestamp(seconds, UTC))


def _of_english(text: str) -> date:
    for form in _ENGLISH:
        try:
            return datetime.strptime(" ".join(text.split()), form).date()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    raise ValueError
