"""Reads the cell of a document number, and refuses a number that may not be the person's own.

Excel keeps 15 digits of a number, and no zero in front. A longer number is shown as `4.40882E+17`,
and its last digits are zeros. Such a number belongs to nobody, or to another person.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from checker.domain.document import DocumentType
from checker.sheets.cell import EXACT_BELOW, Cell, CellFault
from checker.sheets.documents import NUMBER_LENGTH_MAX
from checker.sheets.row_fault import NotCheckable, RowFault

_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[Ee]\+?[0-9]{1,3}")
_SEVERAL: Final = re.compile(r"[、，,;；/／|&\r\n\t]|[0-9A-Za-z]{8,}\s+[0-9A-Za-z]{8,}")
_DATE: Final = re.compile(r"[0-9]{4}[-.][0-9]{1,2}[-.][0-9]{1,2}(?:[ T][0-9:.]+)?")
"""The text of a date. Without its separators it would have the digits of a passport."""
_AS_FORMULA: Final = re.compile(r'="([^"]*)"')
_APOSTROPHES: Final = "'\u2018\u2019`"
_EXACT_DIGITS: Final = 15

_WHOLE_LENGTHS: Final = {
    DocumentType.PASSPORT: 9,
    DocumentType.TAIWAN_PERMIT: 8,
    DocumentType.EXIT_ENTRY_PERMIT: 9,
    DocumentType.ORG_CODE: 9,
}
"""Digits of the longest number in digits alone. A number with fewer may have lost its zeros.

Taiwan permits with ten digits were issued until 2008, and none of them is valid today. No resident
ID begins with a zero. All other kinds have letters, or too many digits for a cell of a number.
"""


def read_number(cell: Cell, *, is_typed: bool) -> str | NotCheckable | None:
    """Return the number of a cell as text; None: the cell is empty.

    `is_typed`: the sheet distinguishes texts from numbers. In a CSV file 18 digits that end in 000
    are taken for rounded, because Excel writes rounded numbers so.
    """
    if isinstance(cell, str):
        return _from_text(cell, is_typed=is_typed)
    if isinstance(cell, CellFault):
        return NotCheckable(fault=RowFault.FORMULA)
    if isinstance(cell, (bool, datetime, date, time, timedelta)):
        return NotCheckable(fault=RowFault.NOT_TEXT)
    if abs(cell) >= EXACT_BELOW:
        return NotCheckable(fault=RowFault.ROUNDED)
    if cell < 0 or not float(cell).is_integer():
        return NotCheckable(fault=RowFault.NOT_TEXT)
    return str(int(cell))


def may_have_lost_zeros(cell: Cell, number: str, kind: DocumentType) -> bool:
    """Whether a cell of a number is shorter than a number in digits alone of this kind."""
    return not isinstance(cell, str) and len(number) < _WHOLE_LENGTHS.get(kind, 0)


def _from_text(cell: str, *, is_typed: bool) -> str | NotCheckable | None:
    text = cell.strip()
    if quoted := _AS_FORMULA.fullmatch(text):
        text = quoted[1].strip()
    text = text.lstrip(_APOSTROPHES).strip()
    if not text:
        return None
    if len(text) > NUMBER_LENGTH_MAX:
        return NotCheckable(fault=RowFault.INVALID_NUMBER)
    if _SCIENTIFIC.fullmatch(text):
        return NotCheckable(fault=RowFault.ROUNDED)
    if _DATE.fullmatch(text):
        return NotCheckable(fault=RowFault.NOT_TEXT)
    if _SEVERAL.search(text):
        return NotCheckable(fault=RowFault.SEVERAL)
    if not is_typed and _is_rounded(text):
        return NotCheckable(fault=RowFault.ROUNDED)
    return text


def _is_rounded(text: str) -> bool:
    behind = text[_EXACT_DIGITS:]
    return text.isascii() and text.isdigit() and bool(behind) and not behind.strip("0")
