"""How personal texts and sums are shown on a page: masked, and in yuan."""

from datetime import date, datetime
from typing import Final

from checker.domain.clock import SHANGHAI
from checker.web.language import Language

HEAD_SHOWN: Final = 4
TAIL_SHOWN: Final = 4
"""Characters of a number that stay readable: enough to compare with the document at hand."""


def masked_number(number: str) -> str:
    """Return a number with its middle hidden; a number of eight characters or less shows two."""
    shown = number.strip()
    if len(shown) <= HEAD_SHOWN + TAIL_SHOWN:
        return shown[:1] + "*" * max(0, len(shown) - 2) + shown[-1:] if len(shown) > 1 else "*"
    return shown[:HEAD_SHOWN] + "*" * (len(shown) - HEAD_SHOWN - TAIL_SHOWN) + shown[-TAIL_SHOWN:]


def masked_name(name: str | None) -> str:
    """Return a name of which the first character is shown; empty where there is no name."""
    shown = (name or "").strip()
    return shown[:1] + "*" * (len(shown) - 1)


def yuan(fen: int) -> str:
    """Return a sum in yuan with two places."""
    return f"¥{fen // 100:,}.{fen % 100:02}"


def shanghai_minute(instant: datetime) -> str:
    """Return an instant as a clock on the wall in China shows it."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def day_in_words(language: Language, day: date) -> str:
    """Return a day as people say it, without a place where the line could break."""
    if language is Language.ZH:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day}\u00a0{_MONTHS[day.month - 1]}\u00a0{day.year}"


_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def minute_of(instant: datetime | str) -> str:
    """Return an instant, or its text in the API, as `shanghai_minute` shows it."""
    found = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return shanghai_minute(found)
