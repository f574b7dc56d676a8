"""The manifest of a followed directory: which files there are, and how they follow each other.

    {"snapshot": {"number": 40, "file": "snapshot-40.ndjson", "sha256": "9f86d081…"},
     "changes": [{"number": 41, "file": "changes-41.ndjson"}, {"number": 42, …}]}

`snapshot` is the whole list as it was at its number. The changes of number n lead from the list of
number n - 1 to that of n. Files stand beside the manifest or in folders under it. Changes up to the
snapshot's number may stay listed: whoever is a little behind then needs not take the whole.

May be left out: `sha256` (hex, of the bytes of the file), with which a file is taken in only as it
was meant; `series` (any text), which a source changes when it begins to count anew, so that its
numbers are never mistaken for the old ones. A field that is not known is passed over.
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
    """One file of the source. `sha256` is in hex of either case, None where it is not told."""

    number: Number
    file: FileName
    sha256: str | None = None

    def __post_init__(self) -> None:
        # Not a pattern: the telling of faults knows no field name with a digit in it.
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ValueError("a sha256 has 64 hexadecimal digits")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a source has to offer; the order in which it lists its changes means nothing."""

    series: Series | None = None
    snapshot: ListedFile
    changes: tuple[ListedFile, ...] = ()

    def __post_init__(self) -> None:
        numbers = {entry.number for entry in self.changes}
        if len(numbers) < len(self.changes):
            raise ValueError("two changes have one number")

    @property
    def newest(self) -> int:
        """The number of the list that the source now stands for."""
        return max(self.snapshot.number, *(entry.number for entry in self.changes), 0)


_decoder = msgspec.json.Decoder(Manifest)


def read_manifest(data: bytes) -> Manifest:
    """Decode a manifest.

    Raises:
        SourceFault: it is none, or says what a manifest may not; with the field at fault.
    """
    try:
        return decode(_decoder, data)
    except InvalidRequest as error:
        [fault] = error.faults
        raise SourceFault(f"the manifest: {fault.pointer or '/'}: {fault.detail}") from None
