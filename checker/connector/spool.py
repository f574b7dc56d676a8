"""Keeps a file of a source until it is known to be whole; only then is any of it taken in.

Small files stay in memory, others in a sealed file without a name
(`checker.intake.sealed_spool`). So no transaction waits for a slow sender,
and nothing of a cut or wrong file is applied.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from checker.connector.errors import SourceFault
from checker.connector.source import SourceFile
from checker.intake.sealed_spool import SealedSpool, open_sealed_spool

FILE_BYTES_MAX: Final = 64 << 30
"""A hundred million listings; the disk is rather smaller."""


@contextmanager
def open_spool(folder: Path) -> Iterator["Spool"]:
    """Keep one file for as long as the context is open."""
    with open_sealed_spool(folder) as sealed:
        yield Spool(sealed)


class Spool:
    """One file of a source; `sha256` is that of its bytes, in lower-case hex, once it is full."""

    def __init__(self, sealed: SealedSpool) -> None:
        self._sealed = sealed
        self.sha256 = ""

    async def fill(
        self,
        body: SourceFile,
        *,
        what: str,
        sha256: str | None = None,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        """Take in a body; `sha256` is in hex, as the manifest gives it. `what` names it in faults.

        Raises:
            SourceFault: it is not the file that was meant, not whole, too large, or does not fit
                on the disk.
        """
        if sha256 is None and not body.told_whole:
            raise SourceFault(f"{what}: the source does not tell where it ends, and no sha256")
        digest = hashlib.sha256()
        async for chunk in body.chunks:
            self._sealed.write(chunk)
            if self._sealed.size > bytes_max:
                raise SourceFault(f"{what} is larger than {bytes_max} bytes")
            digest.update(chunk)
            try:
                if self._sealed.is_full:
                    await asyncio.to_thread(self._sealed.flush)
            except OSError as error:
                raise SourceFault(f"{what} cannot be kept here: {error.strerror}") from None
        self.sha256 = digest.hexdigest()
        if sha256 is not None and sha256.lower() != self.sha256:
            raise SourceFault(f"{what} does not have the sha256 that the manifest gives")

    def content(self) -> bytes:
        """Give the whole file; for a file that `bytes_max` kept small."""
        return b"".join(map(self._sealed.read, self._sealed.blocks()))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the file in pieces, from the beginning."""
        for number in self._sealed.blocks():
            yield await asyncio.to_thread(self._sealed.read, number)
