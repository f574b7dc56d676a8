"""A sheet that has been read, whatever its file was."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from checker.sheets.cell import Cell
from checker.sheets.columns import FoundColumns


class MergedRange(NamedTuple):
    """A range of merged cells; rows and columns count from 0, and the last ones belong to it."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


AddedColumns: TypeAlias = Mapping[int, Sequence[str]]
"""The texts of the added columns, by row."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of a sheet, and the way to add columns to its file.

    `name` and `other_names` are empty for CSV. `is_typed`: the file distinguishes texts from
    numbers. `encoding` is that of CSV. `write` returns the same file with columns added.
    """

    name: str = ""
    other_names: tuple[str, ...] = ()
    encoding: str = ""
    rows: Sequence[Sequence[Cell]]
    merged: tuple[MergedRange, ...] = ()
    is_typed: bool
    found: FoundColumns
    write: Callable[[AddedColumns], bytes]
