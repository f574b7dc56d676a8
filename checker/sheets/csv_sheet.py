"""Reads a CSV file, and writes it again with columns added.

The file keeps each byte that it had: its encoding, separators, quotes and line ends. The added
texts stand at the end of each record.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from checker.errors import InvalidRequest, TooLarge
from checker.sheets.bounds import SheetBounds
from checker.sheets.columns import HEADER_ROWS_MAX, FoundColumns, find_columns
from checker.sheets.encodings import DecodedText, decode_text
from checker.sheets.refusals import SheetFault, no_header, refused
from checker.sheets.sheet import AddedColumns, Sheet

SEPARATORS: Final = (",", "\t", ";", "|")
_LINE_END: Final = re.compile(r"(?:\r\n|\r|\n)?\Z")
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


class CsvRecord(NamedTuple):
    """The text of a record with its line end, and its fields."""

    text: str
    fields: list[str]


def read_csv(content: bytes, bounds: SheetBounds) -> Sheet:
    """Return the sheet of a CSV file. The separator is the one by which most columns are known.

    Raises:
        InvalidRequest: the file cannot be decoded or cut into records, or has no header.
        TooLarge: the sheet passes a bound.
    """
    decoded = decode_text(content)
    separator, found = _separator(decoded.text)
    records = []
    for record in _records(decoded.text, separator):
        records.append(record)
        if len(records) > bounds.rows:
            raise TooLarge(f"a sheet has at most {bounds.rows} rows")
    width = max(len(record.fields) for record in records)
    if width > bounds.columns:
        raise TooLarge(f"a sheet has at most {bounds.columns} columns")

    def write(added: AddedColumns) -> bytes:
        return _write(decoded, records, separator, width, added)

    return Sheet(
        encoding=decoded.encoding.codec,
        rows=[record.fields for record in records],
        is_typed=False,
        found=found,
        write=write,
    )


def neutral(text: str) -> str:
    """Return a text that no program takes for a formula, on one line."""
    line = " ".join(text.split())
    folded = line.translate(_HALF_WIDTH)
    return f"'{line}" if folded.startswith(_FORMULA_BEGINS) else line


_HALF_WIDTH: Final = str.maketrans("＝＋－＠", "=+-@")


def _separator(text: str) -> tuple[str, FoundColumns]:
    best: tuple[str, FoundColumns] | None = None
    failed: InvalidRequest | None = None
    for separator in SEPARATORS:
        rows = []
        try:
            for record in _records(text, separator):
                rows.append(record.fields)
                if len(rows) > HEADER_ROWS_MAX:
                    break
        except InvalidRequest as error:
            failed = failed or error
            continue
        found = find_columns(rows)
        if found is not None and (best is None or len(found.columns) > len(best[1].columns)):
            best = separator, found
    if best is None:
        raise failed or no_header()
    return best


def _records(text: str, separator: str) -> Iterator[CsvRecord]:
    """Yield the records of a text. Together their texts are the text.

    Raises:
        InvalidRequest: a quote is never closed, or stands where none may stand.
    """
    taken: list[str] = []

    def lines() -> Iterator[str]:
        # With `newline=""` each line keeps its own end.
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    try:
        for fields in reader:
            yield CsvRecord("".join(taken), fields)
            taken.clear()
    except csv.Error:
        # `from None`: the cause may quote the input.
        text = f"a quote is not closed, or misplaced, at line {reader.line_num}"
        raise refused(text, fault=SheetFault.QUOTES) from None


def _write(
    decoded: DecodedText,
    records: list[CsvRecord],
    separator: str,
    width: int,
    added: AddedColumns,
) -> bytes:
    cells = io.StringIO()
    writer = csv.writer(cells, delimiter=separator, lineterminator="")
    parts: list[str] = []
    for at, record in enumerate(records):
        if at not in added:
            parts.append(record.text)
            continue
        end = _LINE_END.search(record.text)
        assert end is not None, "the pattern fits the end of every text"
        cells.seek(0)
        cells.truncate()
        writer.writerow([neutral(text) for text in added[at]])
        padding = separator * (width - len(record.fields) + 1)
        parts += (record.text[: end.start()], padding, cells.getvalue(), end[0])
    return decoded.encode("".join(parts))
