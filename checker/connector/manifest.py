"""The manifest of a followed directory: which files there are, and how they follow each other.

    {"snapshot": {"number": 40, "file": "snapshot-40.ndjson", "sha256": "9f86d081…"},
     "changes": [{"number": 41, "file": "changes-41.ndjson"}, {"number": 42, …}]}

`snapshot` is the whole list at its number. The changes of number n lead from the list of number n -
1 to the list of number n. Files stand beside the manifest or in folders under it. Changes up to the
snapshot's number may stay listed, so that a follower that is a little behind does not need the
whole list.

Two fields may be left out. `sha256` (hex, of the bytes of the file): a file with another sha256 is
refused. `series` (any text): a source changes it when its numbers begin anew, so that old and new
numbers are never confused. Unknown fields are ignored.
"""

import re
from typing import Annotated, Final

import msgspec

from checker.connector.errors import SourceFault
from checker.decoding import decode
from checker.errors import InvalidRequest

MANIFEST_FILE: Final = "manifest.json"
MANIFEST_BYTES_MAX: Final = 4 << 20
"""Some 30 000 files; a source with more should publish a snapshot."""

# No name leads out of the directory: no scheme, no leading slash, no segment like `..`.
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z"

Number = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
FileName = Annotated[str, msgspec.Meta(pattern=_FILE, max_length=200)]
Series = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[ -~]*\Z")]
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


class ListedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the source. `sha256` is in hex of either case, or None."""

    number: Number
    file: FileName
    sha256: str | None = None

    def __post_init__(self) -> None:
        # Not a pattern: errors of decoding know no field name with a digit in it.
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ValueError("a sha256 has 64 hexadecimal digits")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files that a source offers. The order of its changes means nothing."""

    series: Series | None = None
    snapshot: ListedFile
    changes: tuple[ListedFile, ...] = ()

    def __post_init__(self) -> None:
        numbers = {entry.number for entry in self.changes}
        if len(numbers) < len(self.changes):
            raise ValueError("two changes have one number")

    @property
    def newest(self) -> int:
        """The number of the newest list that the source offers."""
        return max(self.snapshot.number, *(entry.number for entry in self.changes), 0)


_decoder = msgspec.json.Decoder(Manifest)


def read_manifest(data: bytes) -> Manifest:
    """Return the decoded manifest.

    Raises:
        SourceFault: it is no manifest, or breaks a rule; the error names the field at fault.
    """
    try:
        return decode(_decoder, data)
    except InvalidRequest as error:
        [fault] = error.faults
        raise SourceFault(f"the manifest: {fault.pointer or '/'}: {fault.detail}") from None
