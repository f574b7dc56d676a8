"""Days and instants as the clerk reads them: a day is one in Asia/Shanghai, written as a text."""

from datetime import datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))


def day_of(now):
    return now.astimezone(SHANGHAI).date().isoformat()


def days_after(day, days):
    return (datetime.fromisoformat(day) + timedelta(days=days)).date().isoformat()


def instant(text):
    """Read an instant, or a day, which means its beginning."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=SHANGHAI)
