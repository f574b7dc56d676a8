"""The parts of an .xlsx file: a zip archive of XML, taken apart within bounds and put together.

Python's zipfile reads a part only as far as its declared size, and all declared sizes together are
bounded. So a zip bomb costs no memory. The reader of cells sees only archives made here.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple
from xml.etree import ElementTree

import msgspec

from checker.errors import TooLarge
from checker.sheets.bounds import SheetBounds
from checker.sheets.refusals import refused

PARTS_MAX: Final = 10_000
"""A workbook has some parts for each sheet, picture and drawing."""

_ROOT_RELATIONS: Final = "_rels/.rels"
_DOCUMENT_ENDING: Final = "/officeDocument"
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_NAMELESS: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_NAMELESS_STRICT: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


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
            contents = {name: archive.read(info) for name, info in infos.items()}
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
        raise refused("is no workbook that can be unpacked, or is protected") from None
    return WorkbookParts(infos=infos, contents=contents, sheets=_sheets(contents))


def xml_of(contents: Mapping[str, bytes], name: str) -> bytes:
    """Return a part of XML in UTF-8. A part with a document type is refused: it may be a bomb."""
    content = contents.get(name)
    if content is None:
        raise refused("is no workbook: a part is missing")
    start = content.removeprefix(_UTF_8_MARK)[:2]
    if not start.startswith(b"<") or b"\0" in start or b"<!DOCTYPE" in content:
        raise refused("has a part that is no plain XML in UTF-8")
    return content


def _bound(infos: list[zipfile.ZipInfo], bounds: SheetBounds) -> None:
    if len(infos) > PARTS_MAX or len({info.filename for info in infos}) < len(infos):
        raise refused("is no workbook: it has too many parts, or one of them twice")
    if sum(info.file_size for info in infos) > bounds.unpacked_bytes:
        raise TooLarge(f"a workbook unpacks to at most {bounds.unpacked_bytes >> 20} MiB")


def _sheets(contents: Mapping[str, bytes]) -> tuple[SheetPart, ...]:
    main = next(
        (
            target
            for kind, target in _relations(contents, _ROOT_RELATIONS, "").values()
            if kind.endswith(_DOCUMENT_ENDING)
        ),
        None,
    )
    if main is None:
        raise refused("is no workbook: it names no sheets")
    folder, file = posixpath.split(main)
    targets = _relations(contents, posixpath.join(folder, "_rels", f"{file}.rels"), folder)
    found = []
    for element in _parsed(contents, main).iter():
        if _local(element.tag) != "sheet":
            continue
        relation = element.get(_NAMELESS) or element.get(_NAMELESS_STRICT) or ""
        kind, target = targets.get(relation, ("", ""))
        if kind.endswith("/worksheet"):
            found.append(SheetPart(element.get("name", ""), target))
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
