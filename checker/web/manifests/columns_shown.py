"""The columns of a sheet in the words of the page, to be confirmed before anything is checked."""

import msgspec

from checker.sheets.columns import FoundColumns
from checker.sheets.header_words import SheetPerson
from checker.sheets.headers import SheetColumn
from checker.sheets.plan import SheetPlan
from checker.web.language import PageWords


class ShownColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column: its letters as in Excel, its header, and its meaning; or that nobody reads it."""

    letters: str
    header: str
    meaning: str
    is_read: bool


def columns_shown(
    words: PageWords, found: FoundColumns, plan: SheetPlan | None
) -> tuple[ShownColumn, ...]:
    """Return the known columns. Without a plan all are read that are about no other person."""
    return tuple(
        ShownColumn(
            letters=_letters(column.index),
            header=column.header,
            meaning=_meaning(words, column) if is_read else words("manifest.unread"),
            is_read=is_read,
        )
        for column in found.columns
        for is_read in [
            column.person is not SheetPerson.OTHER if plan is None else column in plan.columns
        ]
    )


def _meaning(words: PageWords, column: SheetColumn) -> str:
    if column.service is not None:
        name = words(f"service.{column.service.service}")
        return f"{name} · {words(f'sheet_column.{column.service.field}')}"
    meaning = words(f"sheet_column.{column.field}")
    kinds = "、".join(words(f"document.{kind}") for kind in column.kinds)
    return f"{meaning} · {kinds}" if kinds else meaning


def _letters(index: int) -> str:
    """Return the name of a column: A, B … Z, AA …"""
    text = ""
    rest = index + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
