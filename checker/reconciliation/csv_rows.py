"""Cuts CSV into rows while it arrives. The module `csv` decides where a row ends.

A quoted cell may hold commas, quotes and line breaks. So a line of the file may be a part of a
cell, and must never be read as a row of its own. `csv.reader` asks for lines while a cell is open.
If the next line has not arrived yet, the row is read again from its first line when more arrives.

Rows are counted from 1, with the header and with blank rows, as a spreadsheet shows them. A row may
end with LF, CRLF or CR.

| row                                      | result                                                |
|------------------------------------------|-------------------------------------------------------|
| without any content                      | counted, and not yielded                              |
| over `ROW_LENGTH_MAX`                    | yielded with a fault                                  |
| a quote at a wrong place, foreign bytes  | yielded with a fault                                  |
| no end within `OPEN_ROW_LENGTH_MAX`      | the rest of the file is not read, because the         |
|                                          | beginning of the next row is not known                |
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Final

import msgspec

from checker.errors import InvalidRequest

ROW_LENGTH_MAX: Final = 16 * 1024
"""A sale has some 300 characters; the longest name and reference that are allowed fit in."""

OPEN_ROW_LENGTH_MAX: Final = 100_000
"""Below the limit of `csv` for one cell (131 072). `csv` would cut a longer cell in two rows."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_CSV: Final = "the row is not CSV: look at its quotes"
_TOO_LONG: Final = f"the row has more than {ROW_LENGTH_MAX} characters"
_FOREIGN: Final = "the row has bytes that its encoding does not have"


class CsvRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row with its cells, or with the `fault` for which it cannot be read."""

    cells: tuple[str, ...] = ()
    fault: str | None = None

    def __len__(self) -> int:
        return sum(map(len, self.cells))


async def csv_rows(chunks: AsyncIterable[bytes]) -> AsyncIterator[tuple[int, CsvRow]]:
    """Yield the number of each row, and the row, from a file in UTF-8.

    Raises:
        InvalidRequest: a row does not end within `OPEN_ROW_LENGTH_MAX`.
    """
    rows = _Rows()
    utf_8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    decoder = io.IncrementalNewlineDecoder(utf_8, translate=False)
    async for chunk in chunks:
        for row in rows.add(decoder.decode(chunk)):
            yield row
    for row in rows.add(decoder.decode(b"", final=True), is_end=True):
        yield row


class _Starved(Exception):
    """The next line has not arrived yet."""


class _Rows:
    """The rows of a file, as its text arrives."""

    def __init__(self) -> None:
        self._rest = ""
        self._lines: deque[str] = deque()
        self._row: list[str] = []
        self._is_end = False
        self._number = 0
        self._reader = csv.reader(self, strict=True)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Return the next line to the reader of `csv`."""
        if not self._lines:
            raise StopIteration if self._is_end else _Starved
        self._row.append(self._lines.popleft())
        return self._row[-1]

    def add(self, text: str, *, is_end: bool = False) -> Iterator[tuple[int, CsvRow]]:
        """Yield the rows that end in `text`. At the end of the file, yield the rest."""
        text = self._rest + text
        start = 0
        for end in _LINE_END.finditer(text):
            self._lines.append(text[start : end.end()])
            start = end.end()
        self._rest = text[start:]
        self._is_end = is_end
        if is_end and self._rest:
            self._lines.append(self._rest)
        while self._lines:
            try:
                row = self._read()
            except _Starved:
                self._lines.extendleft(reversed(self._row))
                break
            self._number += 1
            if row is not None:
                yield self._number, row
        if sum(map(len, self._lines)) + len(self._rest) > OPEN_ROW_LENGTH_MAX:
            text = f"row {self._number + 1} has no end: a quote may be open; nothing behind is read"
            raise InvalidRequest(text)

    def _read(self) -> CsvRow | None:
        """Return the next row, or None for a row without content. Raises _Starved."""
        self._row = []
        try:
            cells = next(self._reader)
        except csv.Error:
            return CsvRow(fault=_NOT_CSV)
        if sum(map(len, self._row)) > ROW_LENGTH_MAX:
            return CsvRow(fault=_TOO_LONG)
        if not any(map(str.strip, cells)):
            return None
        try:
            "".join(cells).encode()
        except UnicodeEncodeError:
            return CsvRow(fault=_FOREIGN)
        return CsvRow(cells=tuple(cells))
