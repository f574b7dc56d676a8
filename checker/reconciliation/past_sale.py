"""Reads past sales: a line of NDJSON, or a row of CSV under a header.

A line of NDJSON is a check with `sold_at`. In CSV the same fields are columns: `document_type`,
`document_number`, `document_issuer`, `name`, `sold_at`, `jurisdiction`, `reference`, `service` for
its type, and the fields of the services by their names. An empty cell is a missing field. In CSV,
the number of a line is the number of its row (`checker.reconciliation.csv_rows`).
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from checker.accounts.keys import Caller
from checker.checks.request import Place, Reference, Subject, prepare
from checker.decoding import decode, decode_once
from checker.domain.clock import instant_or_day, shanghai_day
from checker.domain.service import SERVICES, Service
from checker.errors import Fault, InvalidRequest, InvalidSubject, OutOfScope
from checker.formats.lines import cut_lines
from checker.reconciliation.csv_rows import CsvRow, csv_rows
from checker.registry.prepared_check import PreparedCheck, TokenOf

LINE_BYTES_MAX: Final = 16 * 1024
"""A sale has some 300 bytes; the longest name and reference that are allowed fit in."""

Line = tuple[int, bytes | CsvRow | None]
"""A line's number from 1, and its text or its cells; None: over the limit."""

_SUBJECT = {
    "document_type": ("document", "type"),
    "document_number": ("document", "number"),
    "document_issuer": ("document", "issuer"),
}
_OWN = ("sold_at", "jurisdiction", "reference")
_OF_SERVICES = {field for kind in SERVICES.values() for field in kind.__struct_encode_fields__}
COLUMNS: Final = (*_SUBJECT, "name", *_OWN, "service", *sorted(_OF_SERVICES))


class SalesFormat(StrEnum):
    """How the lines are written."""

    NDJSON = "ndjson"
    CSV = "csv"


class PastSale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sale: a check, and its instant. A day alone means its beginning in Asia/Shanghai."""

    subject: Subject
    service: Service
    sold_at: str
    jurisdiction: Place | None = None
    reference: Reference | None = None


class RejectedCode(StrEnum):
    """Why a line was not judged."""

    INVALID_REQUEST = "invalid-request"
    INVALID_DOCUMENT = "invalid-document"
    OUT_OF_SCOPE = "out-of-scope"
    NO_LIST = "no-list"


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """The fault of a line. Neither text repeats the line."""

    code: RejectedCode
    detail: str
    errors: tuple[Fault, ...] = ()


class PreparedSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that can be judged."""

    line: int
    check: PreparedCheck
    sold_at: datetime


def sale_lines(form: SalesFormat, chunks: AsyncIterable[bytes]) -> AsyncIterator[Line]:
    """Return the lines of a file in UTF-8, for a `SalesReader`."""
    if form is SalesFormat.CSV:
        return csv_rows(chunks)
    return cut_lines(chunks, line_bytes_max=LINE_BYTES_MAX)


class SalesReader:
    """Reads the lines of one file of one caller. `open` comes first."""

    def __init__(self, form: SalesFormat, caller: Caller, now: datetime, token_of: TokenOf) -> None:
        self._form = form
        self._caller = caller
        self._now = now
        self._token_of = token_of
        self._columns: Sequence[str] = ()

    async def open(self, lines: AsyncIterator[Line]) -> None:
        """Read the header, if the format has one.

        Raises:
            InvalidRequest: there is no header, or it names an unknown column.
        """
        if self._form is SalesFormat.CSV:
            # Without a default: CPython takes a tuple there for the arguments of an exception.
            try:
                _, line = await anext(lines)
            except StopAsyncIteration:
                line = None
            assert line is None or isinstance(line, CsvRow), "the lines are rows of CSV"
            self._columns = _header(line)

    def read(self, number: int, line: bytes | CsvRow | None) -> PreparedSale | Rejected:
        """Return the sale of one line, or the reason why the line is rejected."""
        try:
            if line is None:
                raise InvalidRequest(f"the line has more than {LINE_BYTES_MAX} bytes")
            sale = self._of_row(line) if isinstance(line, CsvRow) else decode_once(_sale, line)
            return self._prepared(number, sale)
        except InvalidSubject as error:
            return _rejected(RejectedCode.INVALID_DOCUMENT, error)
        except InvalidRequest as error:
            return _rejected(RejectedCode.INVALID_REQUEST, error)
        except OutOfScope as error:
            return Rejected(code=RejectedCode.OUT_OF_SCOPE, detail=str(error))

    def _prepared(self, number: int, sale: PastSale) -> PreparedSale:
        prepared = prepare(sale, self._caller, shanghai_day(self._now), self._token_of)
        try:
            sold_at = instant_or_day(sale.sold_at)
        except ValueError as error:
            raise InvalidRequest(
                "a field is not as it must be", [Fault("/sold_at", str(error))]
            ) from None
        if sold_at > self._now:
            fault = Fault("/sold_at", "is still to come: ask with a check")
            raise InvalidRequest("a field is not as it must be", [fault])
        return PreparedSale(line=number, check=prepared, sold_at=sold_at)

    def _of_row(self, row: CsvRow) -> PastSale:
        if row.fault is not None:
            raise InvalidRequest(row.fault)
        if len(row.cells) != len(self._columns):
            raise InvalidRequest("the row has not as many cells as the header has columns")
        sale: dict[str, Any] = {"subject": {"document": {}}}
        service: dict[str, str] = {}
        for column, cell in zip(self._columns, row.cells, strict=True):
            if not cell:
                continue
            if column in _SUBJECT:
                part, field = _SUBJECT[column]
                sale["subject"][part][field] = cell
            elif column == "name":
                sale["subject"]["name"] = cell
            elif column in _OWN:
                sale[column] = cell
            else:
                service["type" if column == "service" else column] = cell
        return decode(_typed_by_text, msgspec.json.encode(sale | {"service": service}))


_sale = msgspec.json.Decoder(PastSale)
# Numbers and booleans come as text.
_typed_by_text = msgspec.json.Decoder(PastSale, strict=False)


def _header(row: CsvRow | None) -> list[str]:
    columns = [] if row is None else [cell.strip() for cell in row.cells]
    if not columns or len(set(columns)) < len(columns) or not set(columns) <= set(COLUMNS):
        fault = Fault("", f"the columns are {', '.join(COLUMNS)}, each once")
        raise InvalidRequest("the first line is no header of past sales", [fault])
    return columns


def _rejected(code: RejectedCode, error: InvalidRequest) -> Rejected:
    return Rejected(code=code, detail=str(error), errors=error.faults)
