"""Each fault of a whole sheet has its own word, so that a page can say what to do."""

import io
import zipfile
from typing import Any

import pytest

from checker.errors import CheckerError, Unavailable
from checker.sheets.bounds import PAGE_BOUNDS
from checker.sheets.files import read_sheet
from checker.sheets.plan import SheetLayout, plan_sheet
from checker.sheets.refusals import SERVICE_HELPS, SheetFault, fault_of
from tests.support.sheets import csv_of
from tests.support.town import DEBTOR

ID = "身份证号"
PREMIUM = ["年保费", "现金价值"]


def packed(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(f"xl/{name}", content)
    return target.getvalue()


FILES: dict[SheetFault, tuple[bytes, dict[str, Any] | None]] = {
    SheetFault.EMPTY: (b" \r\n", None),
    SheetFault.NO_HEADER: (csv_of([["陈示例", DEBTOR]]), None),
    SheetFault.ENCODING: (b"\xff\xff\xff,\xff", None),
    SheetFault.QUOTES: (f'{ID},"车次\n'.encode(), None),
    SheetFault.NO_WORKBOOK: (b"PK\x03\x04 no workbook", None),
    SheetFault.MACROS: (packed(**{"VbaProject.bin": b"x"}), None),
    SheetFault.UNUSUAL: (packed(a=b"", A=b""), None),
    SheetFault.CHECKED_ALREADY: (csv_of([[ID, "decision", "reason", "section", "remedy"]]), None),
    SheetFault.NO_PERSON: (csv_of([[ID, *PREMIUM]]), None),
    SheetFault.NO_SERVICE: (csv_of([[ID]]), None),
    SheetFault.TWO_LAYOUTS: (csv_of([["投保人身份证号", *PREMIUM, "学费"]]), None),
    SheetFault.TWICE: (csv_of([[ID, "身份证号码", "车次"]]), None),
    SheetFault.SERVICE: (csv_of([[ID]]), {"type": "rail", "train": "G79", "seat": "throne"}),
    SheetFault.TOO_LARGE: (bytes(PAGE_BOUNDS.file_bytes + 1), None),
    SheetFault.OLD_OR_LOCKED: (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), None),
}


def error_of(content: bytes, service: dict[str, Any] | None) -> CheckerError:
    with pytest.raises(CheckerError) as caught:
        plan_sheet(read_sheet(content, PAGE_BOUNDS).found, SheetLayout.AUTO, service)
    return caught.value


@pytest.mark.parametrize("fault", SheetFault)
def test_a_sheet_is_refused_with_the_fault_that_it_has(fault: SheetFault) -> None:
    assert fault_of(error_of(*FILES[fault])) is fault


def test_a_bomb_with_macros_is_refused_before_it_is_unpacked() -> None:
    bomb = packed(**{"styles.xml": bytes(PAGE_BOUNDS.unpacked_bytes + 1), "vbaProject.bin": b""})
    assert fault_of(error_of(bomb, None)) in {SheetFault.MACROS, SheetFault.TOO_LARGE}


@pytest.mark.parametrize("fault", sorted(SERVICE_HELPS))
def test_a_service_for_all_rows_helps_where_the_columns_name_none(fault: SheetFault) -> None:
    sheet = read_sheet(FILES[fault][0])
    service = {"type": "insurance", "annual_premium_fen": 1, "cash_value": True}
    if fault is SheetFault.NO_SERVICE:
        service = {"type": "rail", "train": "G79", "seat": "second"}
    assert plan_sheet(sheet.found, SheetLayout.AUTO, service).services


def test_an_error_that_is_not_about_the_sheet_is_raised_again() -> None:
    with pytest.raises(Unavailable):
        fault_of(Unavailable("the list cannot be vouched for now"))
