"""Days and instants as the clerk reads them: a day is one in Asia/Shanghai, written as a text."""

from datetime import datetime, timedelta, timezone

import chinese_calendar

SHANGHAI = timezone(timedelta(hours=8))


def day_of(now):
    return now.astimezone(SHANGHAI).date().isoformat()


def days_after(day, days):
    return (datetime.fromisoformat(day) + timedelta(days=days)).date().isoformat()


def removal_due(fulfilled_on):
    """Return the last day for a removal, by a calendar that is not the service's."""
    due = datetime.fromisoformat(days_after(fulfilled_on, 3)).date()
    while not _is_worked(due):
        due += timedelta(days=1)
    return due.isoformat()


def _is_worked(day):
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:  # a year that is not announced yet
        return day.weekday() < 5


def instant(text):
    """Read an instant, or a day, which means its beginning."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=SHANGHAI)
