"""The form with a file, read in memory: the sheet of a group must never reach a disk."""

from collections.abc import Mapping
from typing import Final

import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from checker.api.exchange import read_body
from checker.errors import InvalidRequest
from checker.sheets.bounds import PAGE_BOUNDS
from checker.web.visit import FORM_TOKEN, Visit

FILE: Final = "file"
BODY_BYTES_MAX: Final = PAGE_BOUNDS.file_bytes + 16 * 1024
"""The sheet, the other fields, and the lines between them."""

PARTS_MAX: Final = 8
FILE_NAME_LENGTH_MAX: Final = 120
_MULTIPART: Final = "multipart/form-data"


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its name, which may be anything. `content` is empty where no file was chosen."""

    name: str
    content: bytes


async def uploaded_file(visit: Visit) -> UploadedFile:
    """Return the file of a form that this browser was given.

    Raises:
        InvalidRequest: the body is no form with a file.
        OutOfScope: the form does not carry the token of this browser.
        TooLarge, BodyStalled: as other bodies.
    """
    kind, options = parse_options_header(visit.request.headers.get("content-type", ""))
    if kind != _MULTIPART or not options.get("boundary"):
        raise InvalidRequest(f"a file is sent as {_MULTIPART}")
    within_s = visit.runtime.config.server.body_timeout_s
    body = await read_body(visit.request.receive, BODY_BYTES_MAX, within_s=within_s)
    names, fields = fields_of_body(body, options["boundary"])
    visit.refuse_forged(fields.get(FORM_TOKEN, b"").decode(errors="replace"))
    name = names.get(FILE, "")[-FILE_NAME_LENGTH_MAX:]
    return UploadedFile(name=name, content=fields.get(FILE, b""))


def fields_of_body(body: bytes, boundary: str) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """Return the names of files and the contents of all fields; of a repeated field the first."""
    names: dict[str, str] = {}
    fields: dict[str, bytes] = {}
    name = ""
    parts: list[bytes] = []
    try:
        with PushMultipartParser(
            boundary, content_length=len(body), max_segment_count=PARTS_MAX
        ) as parser:
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    name, parts = event.name or "", []
                    names.setdefault(name, event.filename or "")
                elif event is None:
                    fields.setdefault(name, b"".join(parts))
                else:
                    parts.append(bytes(event))
    except MultipartError:
        raise InvalidRequest("the form cannot be read") from None
    return names, fields
