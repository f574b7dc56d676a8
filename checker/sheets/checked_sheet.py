"""A sheet from its file to the same file with decisions: read, planned, checked, written.

sheet = read_sheet(content)                                  the cells, and the columns found
plan = plan_sheet(sheet.found, layout, service)              shown for confirmation
questions = read_rows(sheet, plan, today, jurisdiction)      their checks cost quota
endings = await SheetChecks(…).end_rows(questions, progress)
content = sheet_with_endings(sheet, endings)
"""

from collections import Counter
from collections.abc import Mapping

from checker.sheets.endings import NOT_CHECKABLE, RowEnding
from checker.sheets.header_words import RESULT_HEADERS
from checker.sheets.sheet import Sheet


def sheet_with_endings(sheet: Sheet, endings: Mapping[int, RowEnding]) -> bytes:
    """Return the file of a sheet with four columns added. Nothing else of the file changes."""
    added = {row: ending.texts for row, ending in endings.items()}
    return sheet.write({sheet.found.header_row: RESULT_HEADERS, **added})


def counts_of(endings: Mapping[int, RowEnding]) -> dict[str, int]:
    """Return the number of rows by decision; `not_checkable` is always there."""
    counts = Counter(ending.decision for ending in endings.values())
    return {NOT_CHECKABLE: 0, **counts}
