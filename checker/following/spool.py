"""Keeps a file of a source until it is known to be whole; only then is any of it taken in.

Small files stay in memory, others in an unnamed file of a private folder, which ends with the
process. So no transaction waits for a slow sender, and nothing of a cut or wrong file is applied.
"""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from checker.following.errors import SourceFault
from checker.following.source import CHUNK_BYTES, Body

IN_MEMORY_BYTES: Final = 8 << 20
FILE_BYTES_MAX: Final = 64 << 30
"""A hundred million listings; the disk is rather smaller."""


@contextmanager
def open_spool(folder: Path) -> Iterator["Spool"]:
    """Keep one file for as long as the context is open."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES, dir=str(folder)) as file:
        yield Spool(file)


class Spool:
    """One file of a source; `sha256` is that of its bytes, in lower-case hex, once it is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = ""

    async def fill(
        self, body: Body, *, what: str, sha256: str | None = None, bytes_max: int = FILE_BYTES_MAX
    ) -> None:
        """Take in a body; `sha256` is in hex, as the manifest gives it. `what` names it in faults.

        Raises:
            SourceFault: it is not the file that was meant, not whole, too large, or does not fit
                on the disk.
        """
        if sha256 is None and not body.told_whole:
            raise SourceFault(f"{what}: the source does not tell where it ends, and no sha256")
        digest = hashlib.sha256()
        size = 0
        async for chunk in body.chunks:
            size += len(chunk)
            if size > bytes_max:
                raise SourceFault(f"{what} is larger than {bytes_max} bytes")
            digest.update(chunk)
            try:
                self._file.write(chunk)
            except OSError as error:
                raise SourceFault(f"{what} cannot be kept here: {error.strerror}") from None
        self.sha256 = digest.hexdigest()
        if sha256 is not None and sha256.lower() != self.sha256:
            raise SourceFault(f"{what} does not have the sha256 that the manifest gives")

    def content(self) -> bytes:
        """Give it whole; for what `bytes_max` kept small."""
        self._file.seek(0)
        return self._file.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give it in pieces, from the beginning."""
        self._file.seek(0)
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk
