"""The name and the type of the file that comes back. The name of an upload may be anything."""

import re
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv"
_ZIP: Final = b"PK"
_ADDED: Final = "-checked"
_STEM_LENGTH_MAX: Final = 80
_NOT_IN_NAMES: Final = re.compile(
    r"[\x00-\x1f\x7f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
)
"""Characters that a file system refuses, or that show another name than there is."""


def checked_name(name: str, content: bytes) -> str:
    """Return the name of the checked sheet; the content decides on its ending."""
    plain = _NOT_IN_NAMES.sub(" ", name.replace("\\", "/").rpartition("/")[2])
    stem = PurePath(plain).stem.strip(" .")[:_STEM_LENGTH_MAX] or "sheet"
    return f"{stem}{_ADDED}{'.xlsx' if content.startswith(_ZIP) else '.csv'}"


def media_type_of(content: bytes) -> str:
    """Return the media type of a checked sheet."""
    return XLSX if content.startswith(_ZIP) else CSV


def disposition_of(name: str) -> str:
    """Return the `Content-Disposition` of a file to be saved (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
