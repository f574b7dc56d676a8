"""Sheets for tests: made as CSV and by openpyxl, read into questions, and ended."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import openpyxl

from cache.token import Tokenizer
from checker.accounts.keys import AccountRole, Caller
from checker.audit.decisions import BatchIds
from checker.checks.answer import ListState
from checker.checks.checks import Decided
from checker.domain.decision import ALLOWED
from checker.registry.sealing import Sealer
from checker.sheets.checking import SheetChecks
from checker.sheets.endings import RowEnding, SheetLanguage
from checker.sheets.files import read_sheet
from checker.sheets.plan import SheetLayout, plan_sheet
from checker.sheets.rows import RowQuestion, read_rows
from checker.sheets.sheet import Sheet
from checker.vault import Vault

TODAY = date(2026, 11, 30)
SEALER = Sealer(Tokenizer(bytes(range(32))), Vault(bytes(32)))
CALLER = Caller(
    key_pk=1,
    account_id="1",
    name="x",
    role=AccountRole.INSTITUTION,
    services=None,
    jurisdiction=None,
)
STATE = ListState(version=1, history="h", as_of="1900-01-01T00:00:00.000Z", stale=False)


class NobodyListed:
    """Decides as with an empty list, so a row that must not be allowed is stopped before."""

    async def decide(self, checks: Sequence[Any], **_more: Any) -> Decided:
        count = len(checks)
        return Decided(
            decisions=(ALLOWED,) * count, ids=BatchIds(count, {}), list=STATE, from_registry=0
        )


def csv_of(rows: Sequence[Sequence[object]], *, encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def workbook_of(rows: Sequence[Sequence[object]], merged: Sequence[str] = ()) -> bytes:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(list(row))
    for area in merged:
        workbook.active.merge_cells(area)
    return bytes_of(workbook)


def bytes_of(workbook: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def cells_of(content: bytes) -> list[tuple[object, ...]]:
    """Return the cells of the first sheet of a workbook; formulas as formulas."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [*sheet.iter_rows(values_only=True)]


def asked(
    sheet: Sheet,
    *,
    layout: SheetLayout = SheetLayout.AUTO,
    service: dict[str, Any] | None = None,
    jurisdiction: str | None = None,
) -> list[RowQuestion]:
    return read_rows(sheet, plan_sheet(sheet.found, layout, service), TODAY, jurisdiction)


def questions_of(content: bytes, **terms: Any) -> list[RowQuestion]:
    return asked(read_sheet(content), **terms)


def faults_of(content: bytes, **terms: Any) -> list[str | None]:
    """Return the fault of each row of people; None: the row has none."""
    questions = questions_of(content, **terms)
    return [None if each.fault is None else each.fault.fault.value for each in questions]


def ended(questions: Sequence[RowQuestion], checks: Any = None) -> dict[int, RowEnding]:
    """Return the ends of rows, with nobody listed unless `checks` decides otherwise."""
    sheet_checks = SheetChecks(
        checks=checks or NobodyListed(),
        sealer=SEALER,
        caller=CALLER,
        account_id=None,
        today=TODAY,
        language=SheetLanguage.EN,
    )
    return asyncio.run(sheet_checks.end_rows(questions, lambda _rows: None))
