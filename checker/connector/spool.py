"""Keeps a file of a source until the file is known to be whole. Only then is it taken in.

Small files stay in memory, others in a sealed file without a name (`checker.intake.sealed_spool`).
So no transaction waits for a slow sender, and nothing of a cut or wrong file is applied.
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
from checker.text_encoding import Utf8Text

FILE_BYTES_MAX: Final = 64 << 30
"""A hundred million listings. The disk is usually smaller."""


@contextmanager
def open_spool(folder: Path) -> Iterator["Spool"]:
    """Yield a spool for one file."""
    with open_sealed_spool(folder) as sealed:
        yield Spool(sealed)


class Spool:
    """One file of a source. `sha256` is that of its bytes, in lower-case hex, once it is filled."""

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
        """Take in a file. `sha256` is in hex, as the manifest gives it. `what` names the file in
        errors.

        Raises:
            SourceFault: the file has another sha256, is not whole, is too large, or does not fit on
                the disk.
        """
        if sha256 is None and not body.ends_visibly:
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
        """Return the whole file, which `bytes_max` kept small."""
        return b"".join(map(self._sealed.read, self._sealed.blocks()))

    @property
    def text(self) -> Utf8Text:
        """Return the file in UTF-8. The bytes show the encoding.

        A charset that a web server names is not used, because many servers name one by default.
        """
        return Utf8Text(self._blocks)

    async def _blocks(self) -> AsyncIterator[bytes]:
        for number in self._sealed.blocks():
            yield await asyncio.to_thread(self._sealed.read, number)
