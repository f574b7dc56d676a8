"""The value of one cell, as a reader of sheets returns it. An empty cell is the empty text."""

from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Final, TypeAlias

EXACT_BELOW: Final = 10**15
"""Excel keeps 15 significant digits of a number. A whole number below this bound is exact."""


class CellFault(Enum):
    """Why a cell has no value that can be read."""

    FORMULA = "a formula without a stored result"
    ERROR = "an error such as #N/A"


Cell: TypeAlias = str | float | int | bool | datetime | date | time | timedelta | CellFault
"""A text, a number, a truth value, a point or a length of time, or a fault."""


def text_of(cell: Cell) -> str:
    """Return the text of a cell without blanks around it. A faulty cell has no text."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, CellFault):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT_BELOW:
        return str(int(cell))
    return str(cell)


def is_filled(cell: Cell) -> bool:
    """Whether a cell holds anything. A faulty cell does, because its row must not be skipped."""
    return bool(cell.strip()) if isinstance(cell, str) else True
