"""The XML of one sheet, as bytes: where its rows end, and which cells have no value.

The reader of cells (python-calamine) returns values alone. This pass finds the rest: the place
where a cell can be added to each row, formulas without a stored result, and errors. Cells are added
by splicing bytes, so all that the sheet had stays as it was: formulas with their results, styles,
comments, pictures and rich text.

The pass reads tags by a pattern, because a parser of XML takes ten times as long. Comments, CDATA
and a `>` within a tag would deceive the pattern, so they are refused; Excel and WPS write none.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from checker.errors import InvalidRequest, TooLarge
from checker.sheets.bounds import SheetBounds
from checker.sheets.cell import CellFault
from checker.sheets.refusals import refused
from checker.sheets.sheet import AddedColumns

COLUMNS_OF_EXCEL: Final = 16_384
TEXT_LENGTH_MAX: Final = 32_000
"""Excel takes 32 767 characters in a cell."""

_ROOT: Final = re.compile(rb"<(?:([A-Za-z_][A-Za-z0-9_.-]*):)?worksheet[\s>]")
_LETTERS: Final = re.compile(rb"[A-Z]{1,3}")
_HAS_ERROR: Final = re.compile(rb"\st\s*=\s*[\"']e[\"']")
_ATTRIBUTE: Final = re.compile(rb"\s(r|t)\s*=\s*[\"']([^\"']*)[\"']")
_SPANS: Final = re.compile(rb"\sspans\s*=\s*(\"[^\"]*\"|'[^']*')")
_DIMENSION: Final = re.compile(rb"\sref\s*=\s*(\"[^\"]*\"|'[^']*')")
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED_BY_EXCEL: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_FORMULA_TEXT: Final = b"str"
"""The type of a formula whose result is a text. The result may be the empty text."""


class RowBytes(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a row: its start tag, the end of that tag, and its end tag."""

    start: int
    tag_end: int
    end: int


class SheetXml(msgspec.Struct, kw_only=True):
    """The places in the bytes of a sheet. Rows and columns count from 0.

    `rows` are the rows that have a value, and `height` is the number of rows to the last of them.
    `width` is the number of columns to the last one with a cell. `prefix` stands before each name.
    """

    prefix: str
    rows: dict[int, RowBytes] = {}
    faults: dict[tuple[int, int], CellFault] = {}
    height: int = 0
    width: int = 0
    dimension: int | None = None


def scan_sheet(content: bytes, bounds: SheetBounds) -> SheetXml:
    """Return the places in the bytes of a sheet.

    Raises:
        InvalidRequest: the bytes are no sheet as Excel and WPS write it.
        TooLarge: the sheet passes a bound.
    """
    root = _ROOT.search(content)
    if root is None or b"<!" in content or content.count(b"<?") > 1:
        raise refused("has a sheet that is not as Excel writes it: save it again with Excel or WPS")
    scan = _Scan(content, root[1] or b"", bounds)
    scan.run()
    return scan.found


class _Scan:
    """Reads the rows of a sheet in their order."""

    def __init__(self, content: bytes, prefix: bytes, bounds: SheetBounds) -> None:
        before = prefix + b":" if prefix else b""
        self.found = SheetXml(prefix=before.decode("ascii"))
        self._content = content
        self._bounds = bounds
        name = re.escape(before)
        self._tags = re.compile(rb"<(/?)%b(row|dimension)(?:\s[^<>]*|/)?>" % name).finditer
        self._references = re.compile(
            rb"<%bc(?=[\s/>])(?:[^<>]*?\sr\s*=\s*[\"']([A-Za-z0-9]*)[\"'])?" % name
        ).findall
        self._cells = re.compile(rb"<%bc(?:\s[^<>]*|/)?>" % name).finditer
        # A formula without a result may have an empty `v`.
        self._has_value = re.compile(rb"<%b(?:v(?:\s[^<>]*)?>[^<]|is[\s>])" % name).search
        self._has_formula = re.compile(rb"<%bf[\s/>]" % name).search
        self._row = -1

    def run(self) -> None:
        begun: re.Match[bytes] | None = None
        for tag in self._tags(self._content):
            if tag[2] == b"dimension":
                self.found.dimension = tag.start()
            elif tag[1]:
                if begun is None:
                    raise _damaged()
                self._read_row(begun, tag.start())
                begun = None
            elif begun is not None:
                raise _damaged()
            else:
                self._row = self._number_of(tag)
                begun = None if tag[0].endswith(b"/>") else tag
        if begun is not None:
            raise _damaged()

    def _number_of(self, tag: re.Match[bytes]) -> int:
        number = _attributes(tag).get(b"r")
        if number is None:
            return self._row + 1
        if not number.isdigit() or len(number) > 7 or int(number) <= self._row + 1:
            raise _damaged()
        return int(number) - 1

    def _read_row(self, tag: re.Match[bytes], end: int) -> None:
        found, cells = self.found, self._content[tag.end() : end]
        columns = self._columns(cells)
        if not columns:
            return
        found.width = max(found.width, columns[-1] + 1)
        is_filled = self._has_value(cells) is not None
        if self._has_formula(cells) or _HAS_ERROR.search(cells):
            is_filled = self._read_faults(cells, columns) or is_filled
        if not is_filled:
            return
        found.rows[self._row] = RowBytes(start=tag.start(), tag_end=tag.end(), end=end)
        found.height = self._row + 1
        bounds = self._bounds
        if found.height > bounds.rows or found.width > bounds.columns:
            raise TooLarge(f"a sheet has at most {bounds.rows} rows and {bounds.columns} columns")
        if found.height * found.width > bounds.cells:
            raise TooLarge(f"a sheet has at most {bounds.cells} cells")

    def _columns(self, cells: bytes) -> list[int]:
        """Return the column of each cell. A cell of another row would lead a decision astray."""
        number = str(self._row + 1).encode()
        columns: list[int] = []
        for reference in self._references(cells):
            if reference:
                columns.append(column_index(reference.removesuffix(number)))
            else:
                columns.append(columns[-1] + 1 if columns else 0)
        if columns != sorted(set(columns)) or (columns and columns[-1] >= COLUMNS_OF_EXCEL):
            raise _damaged()
        return columns

    def _read_faults(self, cells: bytes, columns: Sequence[int]) -> bool:
        """Note the faults of a row; return whether there is one."""
        tags = [*self._cells(cells)]
        if len(tags) != len(columns):
            raise _damaged()
        ends = [*(tag.start() for tag in tags[1:]), len(cells)]
        before = len(self.found.faults)
        for column, tag, end in zip(columns, tags, ends, strict=True):
            inner = cells[tag.end() : end]
            kind = _attributes(tag).get(b"t")
            if kind == b"e":
                self.found.faults[self._row, column] = CellFault.ERROR
            elif kind != _FORMULA_TEXT and self._has_formula(inner) and not self._has_value(inner):
                self.found.faults[self._row, column] = CellFault.FORMULA
        return len(self.found.faults) > before


def _attributes(tag: re.Match[bytes]) -> dict[bytes, bytes]:
    """Return the reference and the type of a row or cell."""
    return dict(_ATTRIBUTE.findall(tag[0]))


def _damaged() -> InvalidRequest:
    return refused("has rows or cells out of their order: save it again with Excel or WPS")


def with_columns(content: bytes, places: SheetXml, first: int, added: AddedColumns) -> bytes:
    """Return the bytes of a sheet with cells added to its rows, from the column `first` on.

    The cells are typed as text, so no program takes one for a formula.
    """
    width = max((len(texts) for texts in added.values()), default=0)
    parts: list[bytes] = []
    done = 0
    if places.dimension is not None:
        corner = f"{column_letters(first + width - 1)}{places.height}"
        done = _widened(parts, content, places.dimension, corner)
    for at in sorted(added, key=lambda row: places.rows[row].start):
        row = places.rows[at]
        parts.append(content[done : row.start])
        # `spans` names the columns of the row, and is only a hint.
        parts.append(_SPANS.sub(b"", content[row.start : row.tag_end]))
        parts.append(content[row.tag_end : row.end])
        parts.append(_cells(places.prefix, at, first, added[at]))
        done = row.end
    parts.append(content[done:])
    return b"".join(parts)


@cache
def column_index(letters: bytes) -> int:
    """Return the index of a column from 0: `A` is 0, `AA` is 26. Raises InvalidRequest."""
    if _LETTERS.fullmatch(letters) is None:
        raise _damaged()
    index = 0
    for letter in letters:
        index = index * 26 + letter - ord("A") + 1
    return index - 1


def column_letters(index: int) -> str:
    """Return the letters of a column; `column_index` of them is the index."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _widened(parts: list[bytes], content: bytes, start: int, corner: str) -> int:
    """Add the bytes up to the end of the dimension, with its range widened; return their end.

    Some readers read no cell outside of the dimension.
    """
    end = content.index(b">", start) + 1
    tag = _DIMENSION.sub(f' ref="A1:{corner}"'.encode(), content[start:end], count=1)
    parts += (content[:start], tag)
    return end


def _cells(prefix: str, row: int, first: int, texts: Sequence[str]) -> bytes:
    cells = [
        f'<{prefix}c r="{column_letters(first + at)}{row + 1}" t="inlineStr"><{prefix}is>'
        f'<{prefix}t xml:space="preserve">{_escaped(text)}</{prefix}t></{prefix}is></{prefix}c>'
        for at, text in enumerate(texts)
        if text
    ]
    return "".join(cells).encode()


def _escaped(text: str) -> str:
    """Return a text as XML. Excel reads `_x0041_` as a character, so its `_` is escaped too."""
    plain = _NOT_XML.sub("", text)[:TEXT_LENGTH_MAX]
    return escape(_ESCAPED_BY_EXCEL.sub("_x005F_", plain))
