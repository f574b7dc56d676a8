"""Reads the file of a sheet, by its first bytes and not by its name."""

from typing import Final

from checker.errors import TooLarge, UnsupportedMediaType
from checker.sheets.bounds import COMMAND_LINE_BOUNDS, SheetBounds
from checker.sheets.cell import text_of
from checker.sheets.csv_sheet import read_csv
from checker.sheets.header_words import RESULT_HEADERS
from checker.sheets.refusals import SheetFault, refused
from checker.sheets.sheet import Sheet
from checker.sheets.xlsx_sheet import read_xlsx

_ZIP: Final = b"PK"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"


def read_sheet(content: bytes, bounds: SheetBounds = COMMAND_LINE_BOUNDS) -> Sheet:
    """Return the sheet of a CSV or .xlsx file, with its columns found.

    Raises:
        InvalidRequest: the file cannot be read, has no header, or has been checked already.
        UnsupportedMediaType: the file is an .xls file, or a workbook with a password.
        TooLarge: the file or the sheet passes a bound.
    """
    if len(content) > bounds.file_bytes:
        raise TooLarge(f"a file has at most {bounds.file_bytes >> 20} MiB")
    if not content.strip():
        raise refused("has no content", fault=SheetFault.EMPTY)
    if content.startswith(_OLD_OFFICE):
        text = "an .xls file, or a workbook with a password: save it as .xlsx without a password"
        raise UnsupportedMediaType(text)
    sheet = (read_xlsx if content.startswith(_ZIP) else read_csv)(content, bounds)
    header = sheet.rows[sheet.found.header_row]
    if {*RESULT_HEADERS} <= {text_of(cell).lower() for cell in header}:
        # An old answer must not stand beside a new one.
        text = f"has the columns {', '.join(RESULT_HEADERS)} of an earlier check: delete them"
        raise refused(text, fault=SheetFault.CHECKED_ALREADY)
    return sheet
