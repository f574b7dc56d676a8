"""Finds the header of a sheet, and the columns that the header names.

The header is the first row with a column of numbers; titles may stand above. Two headers may
stand one below the other: groups (`投保人` above `姓名` and `证件号码`), or the same columns in two
languages.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from checker.sheets.cell import Cell, is_filled, text_of
from checker.sheets.header_words import SheetField, SheetPerson
from checker.sheets.headers import SheetColumn, person_named, read_header

HEADER_ROWS_MAX: Final = 50
"""Rows in which a header is sought: titles and notes above a list take less."""


class FoundColumns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns with a known meaning, to be shown before anything is checked.

    `header_row` and `first_row` count from 0: the last row of the header, and the first below.
    """

    header_row: int
    columns: tuple[SheetColumn, ...]

    @property
    def first_row(self) -> int:
        """The first row of people."""
        return self.header_row + 1


def find_columns(rows: Sequence[Sequence[Cell]]) -> FoundColumns | None:
    """Return the columns of a sheet; None: no row is a header with a column of numbers."""
    for at in range(min(len(rows), HEADER_ROWS_MAX)):
        found = _header_at(rows, at)
        if not _is_header(found, rows[at]):
            continue
        below = _header_at(rows, at + 1) if at + 1 < len(rows) else ()
        if _is_same_header(found, below):
            return FoundColumns(header_row=at + 1, columns=max(found, below, key=len))
        return FoundColumns(header_row=at, columns=found)
    return None


def data_rows(rows: Sequence[Sequence[Cell]], found: FoundColumns) -> list[int]:
    """Return the indices of the rows below the header that hold anything."""
    return [at for at in range(found.first_row, len(rows)) if any(map(is_filled, rows[at]))]


def _is_header(columns: Sequence[SheetColumn], row: Sequence[Cell]) -> bool:
    """Whether the row is a header: a row of people may hold `身份证` and `领队` too."""
    if not any(column.field is SheetField.NUMBER for column in columns):
        return False
    if len(columns) == sum(map(is_filled, row)):
        return True
    # No person has `车次` or `姓名` as a value.
    return any(
        column.service is not None
        or (column.is_certain and column.field in {SheetField.NUMBER, SheetField.NAME})
        for column in columns
    )


def _is_same_header(upper: Sequence[SheetColumn], lower: Sequence[SheetColumn]) -> bool:
    """Whether a row repeats the header above, in another language: two columns mean the same."""
    meanings = {(each.index, each.field, each.service) for each in upper}
    same = [each for each in lower if (each.index, each.field, each.service) in meanings]
    return len(same) > 1 and any(each.field is SheetField.NUMBER for each in same)


def _header_at(rows: Sequence[Sequence[Cell]], at: int) -> tuple[SheetColumn, ...]:
    """Return the columns of a header in the row `at`, with the groups of the row above."""
    texts = [text_of(cell) for cell in rows[at]]
    above = [text_of(cell) for cell in rows[at - 1]] if at else []
    groups = _groups(above)
    if any(groups):
        # A header that is merged over both rows has its text in the upper row.
        texts += [""] * (len(above) - len(texts))
        texts = [
            text or (above[index] if index < len(above) else "") for index, text in enumerate(texts)
        ]
    columns = []
    for index, text in enumerate(texts):
        column = read_header(index, text)
        if column is None:
            continue
        if column.field is not None and column.person is None and index < len(groups):
            column = msgspec.structs.replace(column, person=groups[index])
        columns.append(column)
    return tuple(columns)


def _groups(above: Sequence[str]) -> list[SheetPerson | None]:
    """Return the person that each cell of the row above names. An empty cell continues a group."""
    groups: list[SheetPerson | None] = []
    person = None
    for text in above:
        if text:
            person = person_named(text)
        groups.append(person)
    return groups
