"""Turns the rows of a sheet into checks, or into the fault of a row that cannot be checked.

A check is written as the API takes it, so `checker.checks.batch_request` reads both. A row with
several documents or services has a check for each pair of them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from checker.checks.request import NAME_LENGTH_MAX
from checker.domain.document import DocumentType
from checker.sheets.cell import Cell, CellFault, is_filled, text_of
from checker.sheets.columns import data_rows
from checker.sheets.documents import fitting_kind, kinds_of
from checker.sheets.headers import SheetColumn
from checker.sheets.issuers import issuer_named
from checker.sheets.numbers import may_have_lost_zeros, read_number
from checker.sheets.plan import PlannedService, SheetPlan
from checker.sheets.row_fault import NotCheckable, RowFault
from checker.sheets.sheet import Sheet
from checker.sheets.values import READ

VALUE_LENGTH_MAX: Final = 200
"""A cell of a train, a flight or an amount. A longer text is a note."""

_SEVERAL_NAMES: Final = re.compile(r"[、;；\r\n]|[\u4e00-\u9fff]\s*[,，]\s*[\u4e00-\u9fff]")


class RowQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of one row. With a fault the row is never allowed, whatever its checks become.

    `row` counts from 0, and `checks` are bodies of `POST /v1/checks`.
    """

    row: int
    checks: tuple[Mapping[str, Any], ...] = ()
    fault: NotCheckable | None = None


def read_rows(
    sheet: Sheet, plan: SheetPlan, today: date, jurisdiction: str | None
) -> list[RowQuestion]:
    """Return a question for each row of people. `today` is the day in Asia/Shanghai."""
    rows = data_rows(sheet.rows, plan.found)
    merged = _merged_services(sheet, plan, rows)
    reader = _RowReader(plan, today, jurisdiction, is_typed=sheet.is_typed)
    return [reader.read(at, _Row(sheet.rows[at], merged.get(at, {}))) for at in rows]


class _Row:
    """The cells of a row by column; a row may be shorter than the header."""

    def __init__(self, cells: Sequence[Cell], merged: Mapping[int, Cell]) -> None:
        self._cells = cells
        self._merged = merged

    def at(self, column: SheetColumn | None) -> Cell:
        if column is None:
            return ""
        index = column.index
        if index in self._merged:
            return self._merged[index]
        return self._cells[index] if index < len(self._cells) else ""


class _RowReader:
    def __init__(
        self, plan: SheetPlan, today: date, jurisdiction: str | None, *, is_typed: bool
    ) -> None:
        self._plan = plan
        self._today = today
        self._more = {} if jurisdiction is None else {"jurisdiction": jurisdiction}
        self._is_typed = is_typed

    def read(self, at: int, row: _Row) -> RowQuestion:
        name = self._name(row)
        if isinstance(name, NotCheckable):
            return RowQuestion(row=at, fault=name)
        documents, fault = self._documents(row)
        if not documents:
            return RowQuestion(row=at, fault=fault or NotCheckable(fault=RowFault.NO_NUMBER))
        service_fault = self._service_fault(row)
        if service_fault is not None:
            return RowQuestion(row=at, fault=NotCheckable(fault=service_fault))
        services = list(self._services(row))
        if not services:
            return RowQuestion(row=at, fault=NotCheckable(fault=RowFault.NO_SERVICE))
        checks = [
            {"subject": {"document": document, **name}, "service": service, **self._more}
            for document in documents
            for service in services
        ]
        return RowQuestion(row=at, checks=tuple(checks), fault=fault)

    def _name(self, row: _Row) -> dict[str, str] | NotCheckable:
        cell = row.at(self._plan.name)
        if isinstance(cell, CellFault):
            return NotCheckable(fault=RowFault.FORMULA)
        text = text_of(cell)
        if len(text) > NAME_LENGTH_MAX:
            return NotCheckable(fault=RowFault.INVALID_NAME)
        if _SEVERAL_NAMES.search(text):
            return NotCheckable(fault=RowFault.SEVERAL)
        return {"name": text} if text else {}

    def _documents(self, row: _Row) -> tuple[list[dict[str, str]], NotCheckable | None]:
        """Return the documents of a row, and the first fault of its numbers."""
        documents: list[dict[str, str]] = []
        first_fault = None
        for column in self._plan.numbers:
            cell = row.at(column)
            number = read_number(cell, is_typed=self._is_typed)
            if number is None:
                continue
            found = number if isinstance(number, NotCheckable) else None
            if isinstance(number, str):
                kind = self._kind(row, column, number)
                if isinstance(kind, NotCheckable):
                    found = kind
                elif may_have_lost_zeros(cell, number, kind):
                    found = NotCheckable(fault=RowFault.ZEROS_LOST)
                else:
                    document = {"type": kind.value, "number": number, **self._issuer(row, kind)}
                    if document not in documents:
                        documents.append(document)
            first_fault = first_fault or found
        return documents, first_fault

    def _issuer(self, row: _Row, kind: DocumentType) -> dict[str, str]:
        if kind is not DocumentType.PASSPORT:
            return {}
        issuer = issuer_named(text_of(row.at(self._plan.issuer)))
        return {} if issuer is None else {"issuer": issuer}

    def _kind(self, row: _Row, column: SheetColumn, number: str) -> DocumentType | NotCheckable:
        kinds = column.kinds
        if not kinds:
            cell = row.at(self._plan.document_type)
            if isinstance(cell, CellFault):
                return NotCheckable(fault=RowFault.FORMULA)
            if not is_filled(cell):
                is_resident = fitting_kind((DocumentType.RESIDENT_ID,), number, self._today)
                return is_resident or NotCheckable(fault=RowFault.NO_TYPE)
            named = kinds_of(text_of(cell))
            if named is None:
                return NotCheckable(fault=RowFault.UNKNOWN_TYPE)
            kinds = named
        if len(kinds) == 1:
            return kinds[0]
        # Where no kind fits, the reading of the API names the fault of the first one.
        return fitting_kind(kinds, number, self._today) or kinds[0]

    def _services(self, row: _Row) -> Iterator[dict[str, Any]]:
        filled = [each for each in self._plan.services if self._is_asked(each, row)]
        shared = [each for each in self._plan.services if each.shared]
        for planned in filled or shared[:1]:
            service: dict[str, Any] = {"type": planned.type.value, **planned.shared}
            for column in planned.columns:
                cell = row.at(column)
                if is_filled(cell) and column.service is not None:
                    read = READ[column.service.kind]
                    service[column.service.field] = read(cell, column.unit_fen)
            yield service

    def _service_fault(self, row: _Row) -> RowFault | None:
        for planned in self._plan.services:
            for column in planned.columns:
                cell = row.at(column)
                if isinstance(cell, CellFault):
                    return RowFault.FORMULA
                if isinstance(cell, str) and len(cell) > VALUE_LENGTH_MAX:
                    return RowFault.INVALID_SERVICE
        return None

    def _is_asked(self, planned: PlannedService, row: _Row) -> bool:
        return any(is_filled(row.at(column)) for column in planned.columns)


def _merged_services(
    sheet: Sheet, plan: SheetPlan, rows: Sequence[int]
) -> dict[int, dict[int, Cell]]:
    """Return the cells of services that are merged over several rows, by row and column.

    A train of a group often stands once for all its rows. A number never stands for two rows.
    """
    wanted = {column.index for planned in plan.services for column in planned.columns}
    filled: dict[int, dict[int, Cell]] = {}
    known = set(rows)
    for area in sheet.merged:
        if area.first_column not in wanted or area.first_row not in known:
            continue
        first = sheet.rows[area.first_row]
        value = first[area.first_column] if area.first_column < len(first) else ""
        for at in range(area.first_row, min(area.last_row + 1, len(sheet.rows))):
            cells = filled.setdefault(at, {})
            if area.first_column in cells:
                # Areas that overlap are damage, and could be as many as rows.
                break
            cells[area.first_column] = value
    return filled
