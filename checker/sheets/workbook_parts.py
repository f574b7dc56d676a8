"""The parts of an .xlsx file: a zip archive of XML, taken apart within bounds and put together.

A part is unpacked only as far as its declared size, and all declared sizes together are bounded.
So a zip bomb costs no memory. The reader of cells sees only archives made here.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple
from xml.etree import ElementTree

import msgspec

from checker.errors import TooLarge
from checker.sheets.bounds import SheetBounds
from checker.sheets.refusals import SheetFault, refused

PARTS_MAX: Final = 10_000
"""A workbook has some parts for each sheet, picture and drawing."""

MAIN_PART: Final = "xl/workbook.xml"
"""The reader of cells knows no other name, and both must read the same sheets."""

MACROS: Final = "xl/vbaproject.bin"
"""The part of macros, in small letters. A sheet comes back to other people, so it has none."""

_ROOT_RELATIONS: Final = "_rels/.rels"
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_ID: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRINGS: Final = re.compile(rb"<(?:[A-Za-z0-9_.-]+:)?sst[\s>]")
_STRING_END: Final = re.compile(rb"</(?:[A-Za-z0-9_.-]+:)?si>|<(?:[A-Za-z0-9_.-]+:)?si\s*/>")
_VALUE: Final = re.compile(rb"v(?:\s[^<>]*)?>\s*([0-9]{1,9})\s*<")
_ID_STRICT: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


class SheetPart(NamedTuple):
    """A sheet of a workbook by its name, and the name of its part."""

    name: str
    part: str


class WorkbookParts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a workbook by name, in their order, and its sheets in theirs."""

    infos: Mapping[str, zipfile.ZipInfo]
    contents: Mapping[str, bytes]
    sheets: tuple[SheetPart, ...]

    def packed(self, replaced: Mapping[str, bytes], *, stored: bool = False) -> bytes:
        """Return the workbook with some parts replaced; `stored`: without compression."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in self.contents.items():
                # A new entry: the sizes and flags of the old one are not those of the new content.
                info = zipfile.ZipInfo(name, self.infos[name].date_time)
                info.external_attr = self.infos[name].external_attr
                info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                archive.writestr(info, replaced.get(name, content))
        return target.getvalue()


def read_parts(content: bytes, bounds: SheetBounds) -> WorkbookParts:
    """Return the parts of a workbook.

    Raises:
        InvalidRequest: the file is no workbook.
        TooLarge: its parts together pass the bound.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            _bound(archive.infolist(), bounds)
            contents = {name: _unpacked(archive, info) for name, info in infos.items()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ):
        # `from None`: a cause may name a part.
        text = "is no workbook that can be unpacked, or is protected"
        raise refused(text, fault=SheetFault.NO_WORKBOOK) from None
    return WorkbookParts(infos=infos, contents=contents, sheets=_sheets(contents))


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a part, at most one byte more than its declared size. Then its checksum is wrong."""
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise refused("is packed in a way that Excel does not use")
    with archive.open(info) as stream:
        # Without a bound zipfile unpacks two gigabytes before it looks at the declared size.
        return stream.read(info.file_size + 1)


def xml_of(contents: Mapping[str, bytes], name: str) -> bytes:
    """Return a part of XML in UTF-8. A part with a document type is refused: it may be a bomb."""
    content = contents.get(name)
    if content is None:
        raise refused("is no workbook: a part is missing", fault=SheetFault.NO_WORKBOOK)
    start = content.removeprefix(_UTF_8_MARK)[:2]
    if not start.startswith(b"<") or b"\0" in start or b"<!DOCTYPE" in content:
        raise refused("has a part that is no plain XML in UTF-8")
    return content


def bound_texts(parts: WorkbookParts, sheet: bytes, bounds: SheetBounds) -> None:
    """Refuse a sheet whose texts are too large together.

    Cells share texts: one long text in each of many cells is small in the file, and large when the
    cells are read.

    Raises:
        TooLarge: the texts of all cells pass the bound of a workbook.
    """
    for content in parts.contents.values():
        if b"sst" not in content or _STRINGS.search(content) is None:
            continue
        lengths = [len(text) for text in _STRING_END.split(content)]
        if max(lengths) * sheet.count(b"v>") <= bounds.unpacked_bytes:
            continue
        # Each number counts as a reference, so the sum is never too small.
        indices = (int(index) for index in _VALUE.findall(sheet))
        total = sum(lengths[index] for index in indices if index < len(lengths))
        if total > bounds.unpacked_bytes:
            raise TooLarge(f"a workbook unpacks to at most {bounds.unpacked_bytes >> 20} MiB")


def _bound(infos: list[zipfile.ZipInfo], bounds: SheetBounds) -> None:
    # The reader of cells finds parts in any case.
    names = {info.filename.lower() for info in infos}
    if len(infos) > PARTS_MAX or len(names) < len(infos):
        raise refused("is no workbook: it has too many parts, or one of them twice")
    if MACROS in names:
        raise refused("has macros: save it as .xlsx", fault=SheetFault.MACROS)
    if sum(info.file_size for info in infos) > bounds.unpacked_bytes:
        raise TooLarge(f"a workbook unpacks to at most {bounds.unpacked_bytes >> 20} MiB")


def _sheets(contents: Mapping[str, bytes]) -> tuple[SheetPart, ...]:
    mains = {target for _, target in _relations(contents, _ROOT_RELATIONS, "").values()}
    if MAIN_PART not in mains:
        raise refused("is no workbook as Excel writes it: save it again with Excel or WPS")
    folder, file = posixpath.split(MAIN_PART)
    targets = _relations(contents, posixpath.join(folder, "_rels", f"{file}.rels"), folder)
    found = []
    for element in _parsed(contents, MAIN_PART).iter():
        if _local(element.tag) != "sheet":
            continue
        relation = element.get(_ID) or element.get(_ID_STRICT) or ""
        kind, target = targets.get(relation, ("", ""))
        if kind.endswith("/worksheet"):
            found.append(SheetPart(element.get("name", ""), target))
    if len({sheet.name for sheet in found}) < len(found):
        raise refused("has two sheets of one name")
    return tuple(found)


def _relations(contents: Mapping[str, bytes], name: str, folder: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the target of each relation, by its id."""
    return {
        element.get("Id", ""): (
            element.get("Type", ""),
            posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))[1:],
        )
        for element in _parsed(contents, name)
    }


def _parsed(contents: Mapping[str, bytes], name: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(xml_of(contents, name))  # noqa: S314 - bombs are refused
    except ElementTree.ParseError:
        raise refused("has a part that is no XML") from None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
