"""Laws of sheets: each row of people ends once, and no row is allowed without a valid number.

Nobody is listed here, so a row that is not allowed was stopped by its own cells.
"""

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from checker.domain.document import Document, DocumentType, normalize
from checker.domain.errors import InvalidDocument
from checker.errors import CheckerError
from checker.sheets.cell import is_filled
from checker.sheets.checked_sheet import sheet_with_endings
from checker.sheets.columns import find_columns
from checker.sheets.files import read_sheet
from checker.sheets.sheet_xml import column_index, column_letters
from tests.support.sheets import TODAY, asked, cells_of, csv_of, ended, workbook_of
from tests.support.town import DEBTOR, OLD, PASSPORT, USCC, WITH_X

HEADER = ["姓名", "证件类型", "证件号码", "航班"]
ENDS = {"allow", "not_checkable"}

texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=20)
numbers = st.sampled_from(
    [
        DEBTOR,
        WITH_X,
        WITH_X.lower(),
        USCC,
        PASSPORT,
        f"'{DEBTOR}",
        f'="{DEBTOR}"',
        DEBTOR[:17],
        DEBTOR[:15] + "000",
        int(DEBTOR),
        float(DEBTOR),
        float(DEBTOR[:15]),
        "4.40882E+17",
        f"{DEBTOR}、{OLD}",
        123456789,
        "H12345678",
    ]
)
cells = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(date(1900, 3, 1), date(2100, 1, 1)),
    numbers,
)
kinds = st.one_of(st.sampled_from(["身份证", "护照", "台胞证", "统一社会信用代码", ""]), cells)
rows = st.lists(
    st.tuples(cells, kinds, st.one_of(numbers, cells), st.one_of(st.just("CZ3101"), cells)),
    max_size=8,
)


def is_number_of_somebody(cell: object) -> bool:
    """Whether a cell is exactly a number that some document can have."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        cell = str(int(cell)) if abs(cell) < 10**15 and cell == int(cell) else ""
    if not isinstance(cell, str):
        return False
    text = re.sub(r'\A="(.*)"\Z', r"\1", cell.strip()).strip().lstrip("'‘’`").strip()
    return any(is_valid(kind, text) for kind in DocumentType)


def is_valid(kind: DocumentType, text: str) -> bool:
    try:
        normalize(Document(type=kind, number=text), TODAY)
    except InvalidDocument:
        return False
    return True


@given(rows=rows, in_workbook=st.booleans())
@settings(max_examples=60)
def test_each_row_ends_once_and_none_is_allowed_without_a_valid_number(
    rows: list[tuple[Any, ...]], in_workbook: bool
) -> None:
    content = (workbook_of if in_workbook else csv_of)([HEADER, *rows])
    sheet = read_sheet(content)
    endings = ended(asked(sheet))
    below = range(1, len(sheet.rows))
    assert [*endings] == [at for at in below if any(map(is_filled, sheet.rows[at]))]
    assert {ending.decision for ending in endings.values()} <= ENDS
    for at, row in enumerate(rows, 1):
        if at in endings and endings[at].decision == "allow":
            assert is_number_of_somebody(row[2])
        if any(cell not in {None, ""} and str(cell).strip() for cell in row):
            assert at in endings
    again = decoded(sheet_with_endings(sheet, endings))
    assert [tuple(row[:4]) for row in again] == [tuple(row[:4]) for row in decoded(content)]
    assert {at: again[at][4] for at in endings} == {
        at: ending.decision for at, ending in endings.items()
    }


def decoded(content: bytes) -> Sequence[Sequence[object]]:
    """Return the cells of a file, read by others than the service."""
    if content.startswith(b"PK"):
        return cells_of(content)
    return [*csv.reader(io.StringIO(content.decode(), newline=""))]


@given(rows=st.lists(st.lists(st.one_of(cells, st.sampled_from(HEADER)), max_size=6), max_size=6))
def test_any_cells_have_columns_or_none(rows: list[list[Any]]) -> None:
    found = find_columns([["" if cell is None else cell for cell in row] for row in rows])
    assert found is None or found.header_row < len(rows)


@given(
    content=st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda x: b"PK\3\4" + x))
)
def test_any_bytes_are_a_sheet_or_are_refused(content: bytes) -> None:
    with suppress(CheckerError):
        read_sheet(content)


@given(at=st.integers(0, 200), byte=st.integers(0, 255), part=st.floats(0, 1))
@settings(max_examples=60)
def test_a_workbook_with_a_flipped_byte_is_a_sheet_or_is_refused(
    at: int, byte: int, part: float
) -> None:
    content = bytearray(workbook_of([HEADER, ["a", "身份证", DEBTOR, "CZ1"]]))
    content[int(part * (len(content) - 1))] = byte
    content[at] = byte
    with suppress(CheckerError):
        ended(asked(read_sheet(bytes(content))))


@given(index=st.integers(0, 16_383))
def test_the_letters_of_a_column_are_its_index(index: int) -> None:
    assert column_index(column_letters(index).encode()) == index
