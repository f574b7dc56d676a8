"""CSV as programs write it becomes the rows that were written, however the bytes arrive."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import InvalidRequest
from checker.reconciliation.csv_rows import (
    OPEN_ROW_LENGTH_MAX,
    ROW_LENGTH_MAX,
    CsvRow,
    csv_rows,
)


def rows_of(data: bytes, size: int = 1 << 16) -> list[tuple[int, CsvRow]]:
    async def cut() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    async def read() -> list[tuple[int, CsvRow]]:
        return [row async for row in csv_rows(cut())]

    return asyncio.run(read())


def cells_of(data: bytes, size: int = 1 << 16) -> list[tuple[int, tuple[str, ...]]]:
    return [(number, row.cells) for number, row in rows_of(data, size)]


cells = st.lists(st.text(alphabet=' ,"\r\n;陈示x', max_size=6), min_size=1, max_size=4)


@given(
    table=st.lists(cells, max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    size=st.integers(1, 40),
)
def test_what_a_program_writes_is_read_again(table: list[list[str]], end: str, size: int) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(table)
    expected = [
        (number, tuple(row)) for number, row in enumerate(table, 1) if any(map(str.strip, row))
    ]
    assert cells_of(written.getvalue().encode(), size) == expected


@given(data=st.text(alphabet='a,"\r\n', max_size=60).map(str.encode), size=st.integers(1, 20))
def test_the_cuts_of_the_transfer_change_nothing(data: bytes, size: int) -> None:
    assert rows_of(data, size) == rows_of(data)


def test_rows_are_counted_as_a_spreadsheet_shows_them() -> None:
    data = b'a,b\r\n\r\n"x\n\ny",1\r\n , \r\nlast,2'
    assert cells_of(data) == [(1, ("a", "b")), (3, ("x\n\ny", "1")), (5, ("last", "2"))]


def test_a_row_with_a_fault_leaves_the_others_as_they_are() -> None:
    long = b"x" * (ROW_LENGTH_MAX + 1)
    broken = b'"x"y,1'
    found = rows_of(b"\n".join([b"a,b", long, broken, b"\xff,1", b"c,d"]))
    assert [row.fault is None for _, row in found] == [True, False, False, False, True]
    assert found[-1] == (5, CsvRow(cells=("c", "d")))


def test_a_row_whose_quote_is_open_at_the_end_is_a_fault() -> None:
    found = rows_of(b'a,b\nc,"d\ne,f\n')
    assert [(number, row.fault is None) for number, row in found] == [(1, True), (2, False)]


@pytest.mark.parametrize("line", [b"x", b"x\n"], ids=["one line", "many lines"])
def test_nothing_behind_a_row_without_an_end_is_read(line: bytes) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'a,b\n"'
        while True:
            yield line * 5_000

    async def read(seen: list[int]) -> None:
        async for number, _ in csv_rows(endless()):
            seen.append(number)

    seen: list[int] = []
    with pytest.raises(InvalidRequest, match="row 2"):
        asyncio.run(read(seen))
    assert seen == [1]


def test_a_cell_is_never_cut_by_the_limit_of_the_csv_module() -> None:
    assert csv.field_size_limit() > OPEN_ROW_LENGTH_MAX
