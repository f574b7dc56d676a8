"""A CSV file comes back as it was, with four columns more."""

import csv
import io

import pytest

from checker.errors import CheckerError, InvalidRequest, TooLarge, UnsupportedMediaType
from checker.sheets.bounds import SheetBounds
from checker.sheets.checked_sheet import sheet_with_endings
from checker.sheets.endings import RowEnding
from checker.sheets.files import read_sheet
from tests.support.sheets import csv_of, faults_of
from tests.support.town import DEBTOR, OLD

TEXT = f"名单,,\r\n姓名,身份证号,航班\r\n陈示例,{DEBTOR},CZ3101\r\n"
ENDING = RowEnding(decision="allow")


def rewritten(content: bytes, ending: RowEnding = ENDING) -> bytes:
    sheet = read_sheet(content)
    rows = range(sheet.found.first_row, len(sheet.rows))
    return sheet_with_endings(sheet, dict.fromkeys(rows, ending))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_file_keeps_its_encoding_and_its_mark(encoding):
    content = TEXT.encode(encoding)
    written = rewritten(content)
    assert written[:2] == content[:2]
    assert written.decode(encoding).splitlines() == [
        "名单,,",
        "姓名,身份证号,航班,decision,reason,section,remedy",
        f"陈示例,{DEBTOR},CZ3101,allow,,,",
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\xef\xbb\xbf\xff", b"a,\xff\xff\n"])
def test_a_file_in_no_encoding_is_refused(content):
    with pytest.raises(InvalidRequest):
        read_sheet(content)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_file_keeps_its_separator_its_quotes_and_its_line_ends(separator):
    lines = [
        separator.join(['"姓名"', '"身份证号"', "航班"]) + "\n",
        separator.join(['"陈 ""示"" 例"', f'"{DEBTOR}"', "CZ1"]) + "\r\n",
        "\n",
        separator.join(['"a\r\nb"', "'1", "=1"]),
    ]
    expected = [
        lines[0][:-1]
        + separator
        + separator.join(["decision", "reason", "section", "remedy"])
        + "\n",
        lines[1][:-2] + separator + "allow" + separator * 3 + "\r\n",
    ]
    sheet = read_sheet("".join(lines).encode())
    written = sheet_with_endings(sheet, {1: ENDING}).decode()
    assert written == "".join([*expected, *lines[2:]])


def test_a_record_over_several_lines_is_one_row():
    text = f'姓名,身份证号,航班\n"陈\n{OLD},x",{DEBTOR},CZ1\n'
    assert len(read_sheet(text.encode()).rows) == 2
    assert faults_of(text.encode()) == ["several"]


def test_short_and_long_records_have_their_answers_in_one_column():
    text = f"身份证号,航班\n{DEBTOR}\n{DEBTOR},CZ1,more,and more\n"
    rows = [*csv.reader(io.StringIO(rewritten(text.encode()).decode()))]
    assert [row[4] for row in rows] == ["decision", "allow", "allow"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "＝", "＠"])
def test_no_text_of_ours_is_a_formula_for_a_program_that_opens_the_file(begin):
    evil = RowEnding(
        decision="deny", reason=f"{begin}cmd|' /C calc'!A0\r\n,x", section='"', remedy="a,b"
    )
    rows = [*csv.reader(io.StringIO(rewritten(TEXT.encode(), evil).decode()))]
    reason, *more = rows[2][4:]
    assert reason.startswith("'")
    assert reason.endswith("calc'!A0 ,x")
    assert more == ['"', "a,b"]


@pytest.mark.parametrize(
    "text",
    [
        f'身份证号,航班\n"{DEBTOR},CZ1\n{OLD},CZ1\n',
        f'身份证号,航班\n"{DEBTOR}"x,CZ1\n',
        f"身份证号,航班\n{'x' * 200_000},CZ1\n",
    ],
)
def test_a_quote_that_swallows_rows_refuses_the_file_and_names_the_line(text):
    with pytest.raises(InvalidRequest) as caught:
        read_sheet(text.encode())
    assert "line" in caught.value.faults[0].detail
    assert DEBTOR not in str(caught.value.faults)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", InvalidRequest),
        (b"\xef\xbb\xbf", InvalidRequest),
        (b"a,b\n1,2\n", InvalidRequest),
        (csv_of([[DEBTOR, "CZ1"], [OLD, "CZ1"]]), InvalidRequest),
        (csv_of([["身份证号", "decision", "reason", "section", "remedy"]]), InvalidRequest),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", UnsupportedMediaType),
        (b"PK\x03\x04 no workbook", InvalidRequest),
        (csv_of([["身份证号"], *[["x"]] * 3]), TooLarge),
        (csv_of([["身份证号", *"abcd"]]), TooLarge),
        (csv_of([["身份证号", "x" * 99]]), TooLarge),
    ],
)
def test_a_file_that_is_no_sheet_or_too_large_is_refused(content, error):
    bounds = SheetBounds(rows=3, columns=4, file_bytes=100)
    if error is not TooLarge:
        bounds = SheetBounds()
    with pytest.raises(CheckerError) as caught:
        read_sheet(content, bounds)
    assert isinstance(caught.value, error)
