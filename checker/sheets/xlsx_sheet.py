"""Reads a sheet of an .xlsx file, and writes the file again with columns added.

python-calamine reads the values. `checker.sheets.sheet_xml` finds the places where cells are added.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checker.errors import TooLarge
from checker.sheets.bounds import SheetBounds
from checker.sheets.cell import Cell
from checker.sheets.columns import FoundColumns, data_rows, find_columns
from checker.sheets.refusals import SheetFault, no_header, refused
from checker.sheets.sheet import AddedColumns, MergedRange, Sheet
from checker.sheets.sheet_xml import COLUMNS_OF_EXCEL, SheetXml, scan_sheet, with_columns
from checker.sheets.workbook_parts import (
    SheetPart,
    WorkbookParts,
    bound_texts,
    read_parts,
    xml_of,
)

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook


def read_xlsx(file: bytes, bounds: SheetBounds) -> Sheet:
    """Return the first sheet with a header. Hidden sheets, rows and columns are read too.

    Raises:
        InvalidRequest: the file is no workbook, or has no sheet with a header.
        TooLarge: a sheet passes a bound.
    """
    parts = read_parts(file, bounds)
    workbook = _open(parts)
    for sheet in parts.sheets:
        content = xml_of(parts.contents, sheet.part)
        places = scan_sheet(content, bounds)
        bound_texts(parts, content, bounds)
        rows, merged = _values(workbook, sheet.name, places)
        found = find_columns(rows)
        if found is not None:
            return _sheet(parts, sheet, places, rows, merged, found)
    raise no_header()


def _sheet(
    parts: WorkbookParts,
    sheet: SheetPart,
    places: SheetXml,
    rows: Sequence[Sequence[Cell]],
    merged: tuple[MergedRange, ...],
    found: FoundColumns,
) -> Sheet:
    if any(at not in places.rows for at in (found.header_row, *data_rows(rows, found))):
        # The library and our pass must agree on where the rows are.
        raise refused("has rows that cannot be found again: save it again with Excel or WPS")
    first = max([places.width, *(area.last_column + 1 for area in merged)])

    def write(added: AddedColumns) -> bytes:
        width = max(map(len, added.values()), default=0)
        if first + width > COLUMNS_OF_EXCEL:
            raise TooLarge("the sheet has no room for more columns: delete the empty ones")
        widened = with_columns(parts.contents[sheet.part], places, first, added)
        return parts.packed({sheet.part: widened})

    return Sheet(
        name=sheet.name,
        other_names=tuple(each.name for each in parts.sheets if each is not sheet),
        rows=rows,
        merged=merged,
        is_typed=True,
        found=found,
        write=write,
    )


def _open(parts: WorkbookParts) -> "CalamineWorkbook":
    # Imported here: only a process that reads a workbook needs the library.
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - see above

    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(parts.packed({}, stored=True)))
    except (CalamineError, OSError, ValueError):
        text = "is no workbook that can be read"
        raise refused(text, fault=SheetFault.NO_WORKBOOK) from None


def _values(
    workbook: "CalamineWorkbook", name: str, places: SheetXml
) -> tuple[list[list[Cell]], tuple[MergedRange, ...]]:
    from python_calamine import CalamineError  # noqa: PLC0415 - see `_open`

    if not places.height:
        return [], ()
    try:
        sheet = workbook.get_sheet_by_name(name)
        rows: list[list[Cell]] = [[*row] for row in sheet.to_python(skip_empty_area=False)]
        areas = sheet.merged_cell_ranges or []
    except (CalamineError, OSError, ValueError):
        raise refused("has a sheet that cannot be read") from None
    _set_faults(rows, places)
    return rows, tuple(MergedRange(*first, *last) for first, last in areas)


def _set_faults(rows: list[list[Cell]], places: SheetXml) -> None:
    """Put the faults in their cells. The library reads an error and a bare formula as empty."""
    while len(rows) < places.height:
        rows.append([])
    for (row, column), fault in places.faults.items():
        cells = rows[row]
        cells += [""] * (column + 1 - len(cells))
        cells[column] = fault
