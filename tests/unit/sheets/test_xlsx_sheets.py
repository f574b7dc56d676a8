"""A workbook comes back as it was, with four columns more; openpyxl reads what was written."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from checker.errors import InvalidRequest, TooLarge
from checker.sheets.bounds import SheetBounds
from checker.sheets.checked_sheet import sheet_with_endings
from checker.sheets.endings import RowEnding
from checker.sheets.files import read_sheet
from tests.support.sheets import bytes_of, cells_of, faults_of, questions_of, workbook_of
from tests.support.town import DEBTOR, OLD

HEADER = ["姓名", "身份证号", "航班"]
ROW = ["陈示例", DEBTOR, "CZ3101"]
SHEET = "xl/worksheets/sheet1.xml"
ENDING = RowEnding(decision="allow")


def rewritten(content: bytes, ending: RowEnding = ENDING) -> bytes:
    sheet = read_sheet(content)
    return sheet_with_endings(sheet, {sheet.found.first_row: ending})


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, old in parts_of(content).items():
            archive.writestr(each, part if each == name else old)
    return target.getvalue()


def with_sheet(old: bytes, new: bytes, rows: list[list[object]] | None = None) -> bytes:
    """Return a workbook in whose sheet one text is replaced."""
    content = workbook_of(rows or [HEADER, ROW])
    part = parts_of(content)[SHEET]
    assert old in part
    return with_part(content, SHEET, part.replace(old, new))


def test_every_other_part_and_every_other_cell_stay_as_they_were():
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["A1"] = "名单"
    sheet.merge_cells("A1:C1")
    sheet.append(HEADER)
    sheet.append(ROW)
    sheet["D3"] = "=LEN(B3)"
    sheet["E3"] = date(1901, 2, 3)
    sheet["F3"] = CellRichText("a", TextBlock(InlineFont(b=True), "b"))
    sheet["F3"].font = Font(bold=True)
    sheet.auto_filter.ref = "A2:C3"
    sheet.row_dimensions[3].hidden = True
    workbook.create_sheet("其他")["A1"] = "x"
    content = bytes_of(workbook)
    written = rewritten(content)
    before, after = parts_of(content), parts_of(written)
    assert {name for name in before if before[name] != after[name]} == {SHEET}
    read = openpyxl.load_workbook(io.BytesIO(written), rich_text=True)
    assert read.sheetnames == ["Sheet", "其他"]
    assert str(read.active["F3"].value) == "ab"
    assert read.active["D3"].value == "=LEN(B3)"
    assert read.active.dimensions == "A1:J3"
    assert [cell.value for cell in read.active[2]][6:] == [
        "decision",
        "reason",
        "section",
        "remedy",
    ]
    assert read.active["G3"].value == "allow"


@pytest.mark.parametrize("text", ["=1+1", "+1", "@x", "_x0041_", "a<&>\"'", "-", "\x00\x0b=1"])
def test_a_text_of_ours_is_typed_as_text(text):
    ending = RowEnding(decision="deny", reason=text)
    workbook = openpyxl.load_workbook(io.BytesIO(rewritten(workbook_of([HEADER, ROW]), ending)))
    cell = workbook.active["E2"]
    assert cell.data_type == "s"
    assert cell.value.replace("_x005F_", "_") == text.replace("\x00", "").replace("\x0b", "")


def test_hidden_rows_and_sheets_are_checked_and_the_other_sheets_are_named():
    workbook = openpyxl.Workbook()
    workbook.active.title = "说明"
    people = workbook.create_sheet("名单")
    people.append(HEADER)
    people.append(ROW)
    people.row_dimensions[2].hidden = True
    people.sheet_state = "hidden"
    sheet = read_sheet(bytes_of(workbook))
    assert (sheet.name, sheet.other_names) == ("名单", ("说明",))
    assert faults_of(bytes_of(workbook)) == [None]


def test_numbers_formulas_and_errors_are_faults_and_never_numbers():
    rows = [
        HEADER,
        ["a", int(DEBTOR), "CZ1"],
        ["b", f'=CONCATENATE("{DEBTOR}","")', "CZ1"],
        [None, "=B2", None],
        ["c", "#N/A", "CZ1"],
        ["=1&2", DEBTOR, "CZ1"],
        ["e", DEBTOR, "=C2"],
    ]
    assert faults_of(workbook_of(rows)) == ["rounded", *["formula"] * 5]


def test_the_stored_result_of_a_formula_is_its_value():
    rows = [HEADER, ["b", "=A1", "CZ1"]]
    stored = f'<c r="B2" t="str"><f>A1</f><v>{DEBTOR}</v></c>'.encode()
    assert faults_of(with_sheet(b'<c r="B2"><f>A1</f><v /></c>', stored, rows)) == [None]
    empty = b'<c r="B2" t="str"><f>A1</f><v></v></c>'
    assert faults_of(with_sheet(b'<c r="B2"><f>A1</f><v /></c>', empty, rows)) == ["no_number"]


def test_rows_without_numbers_and_a_namespace_with_a_prefix_are_read():
    content = with_sheet(b' r="2"', b"")
    part = parts_of(content)[SHEET]
    for number in (b"A2", b"B2", b"C2"):
        part = part.replace(b' r="%b"' % number, b"")
    assert cells_of(rewritten(with_part(content, SHEET, part)))[1][3] == "allow"
    content = with_part(content, SHEET, part.replace(b"<row>", b"<row/><row>"))
    assert [question.row for question in questions_of(content)] == [2]
    part = parts_of(workbook_of([HEADER, ROW]))[SHEET]
    part = part.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns=", b"xmlns:x=")
    assert cells_of(rewritten(with_part(content, SHEET, part)))[1][3] == "allow"


def test_a_row_of_three_hundred_columns_has_its_answer_behind_them():
    content = workbook_of([HEADER + ["x"] * 297, ROW + ["y"] * 297])
    assert cells_of(rewritten(content))[1][299:] == ("y", "allow", None, None, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'r="B2"', b'r="B3"'),
        (b'r="B2"', b'r="D2"'),
        (b'r="B2"', b'r="b2"'),
        (b'<row r="2"', b'<row r="1"'),
        (b'<row r="2"', b'<row r="x"'),
        (b"<sheetData>", b"<sheetData><!-- </row> -->"),
        (b"<sheetData>", b"<![CDATA[<row>]]><sheetData>"),
        (b"</row></sheetData>", b"</sheetData>"),
        (b"<worksheet", b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet"),
        (b"<worksheet", b"<other"),
        (b'<c r="B2" t="inlineStr">', b'<c r="B2" t="e" <f/>'),
    ],
)
def test_a_sheet_that_could_lead_a_decision_to_another_row_is_refused(old, new):
    with pytest.raises(InvalidRequest) as caught:
        read_sheet(with_sheet(old, new))
    assert DEBTOR not in str(caught.value.faults)


def test_a_bomb_and_a_wide_sheet_are_refused_before_they_are_unpacked():
    bomb = with_part(workbook_of([HEADER, ROW]), "xl/styles.xml", bytes(9 << 20))
    with pytest.raises(TooLarge):
        read_sheet(bomb, SheetBounds(unpacked_bytes=8 << 20))
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "身份证号"
    workbook.active["XFD90000"] = "x"
    with pytest.raises(TooLarge):
        read_sheet(bytes_of(workbook))


def test_one_long_text_in_many_cells_is_refused_before_it_is_read():
    cells = "".join(
        f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(2, 4_000)
    )
    content = with_sheet(
        b"</row></sheetData>", f"</row>{cells}</sheetData>".encode(), [["身份证号"]]
    )
    strings = f"<sst><si><t>{'x' * 30_000}</t></si></sst>".encode()
    content = with_part(content, "docProps/app.xml", strings)
    with pytest.raises(TooLarge):
        read_sheet(content, SheetBounds(unpacked_bytes=100 << 20))


def test_a_part_whose_declared_size_is_false_is_refused():
    content = bytearray(with_part(workbook_of([HEADER, ROW]), "xl/styles.xml", bytes(1 << 16)))
    size = (1 << 16).to_bytes(4, "little")
    assert content.count(size) == 2
    with pytest.raises(InvalidRequest):
        read_sheet(bytes(content.replace(size, (7).to_bytes(4, "little"))))


def test_a_workbook_that_is_packed_in_an_unusual_way_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as archive:
        for name, part in parts_of(workbook_of([HEADER, ROW])).items():
            archive.writestr(name, part)
    with pytest.raises(InvalidRequest):
        read_sheet(target.getvalue())


@pytest.mark.parametrize(
    "part", ["_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET]
)
@pytest.mark.parametrize("content", [b"", b"<", b"\xff\xfe<\x00", b"<a/>", b"<a><b></a>"])
def test_a_broken_part_refuses_the_workbook(part, content):
    with pytest.raises(InvalidRequest):
        read_sheet(with_part(workbook_of([HEADER, ROW]), part, content))


def test_a_second_list_in_the_same_workbook_is_named_and_not_checked():
    workbook = openpyxl.Workbook()
    for name in ("一团", "二团"):
        sheet = workbook.create_sheet(name)
        sheet.append(HEADER)
        sheet.append(["陈示例", OLD, "CZ1"])
    sheet = read_sheet(bytes_of(workbook))
    assert (sheet.name, sheet.other_names) == ("一团", ("Sheet", "二团"))
