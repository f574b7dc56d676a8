"""A source on the file system: a list, a manifest, or a folder with a manifest.

For places where files are copied or mounted. The file system does not show that a file is still
being written. So a publisher writes another file and renames it, or gives a sha256. A file that
changes while it is read is refused.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from checker.connector.errors import SourceFault
from checker.connector.manifest import MANIFEST_FILE
from checker.connector.plan import Stamp
from checker.connector.source import CHUNK_BYTES, SourceFile


class FolderSource:
    """A path of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self.name = str(self._path)

    @asynccontextmanager
    async def look(self, known: Stamp) -> AsyncIterator[SourceFile | None]:
        """Yield the list or the manifest, or None if it has the known stamp."""
        path = self._path / MANIFEST_FILE if self._path.is_dir() else self._path
        with _opened(path) as file:
            stamp = _stamp(os.fstat(file.fileno()))
            # A manifest is small, and may be rewritten within one tick of the file system's clock.
            is_manifest = path.suffix == ".json"
            if stamp == known and not is_manifest:
                yield None
                return
            async with aclosing(_chunks(file, path)) as chunks:
                yield SourceFile(
                    chunks=chunks, stamp=stamp, is_manifest=is_manifest, ends_visibly=True
                )

    @asynccontextmanager
    async def open(self, file: str) -> AsyncIterator[SourceFile]:
        """Yield a file beside the manifest."""
        folder = self._path if self._path.is_dir() else self._path.parent
        path = folder / file
        with _opened(path) as opened:
            stamp = _stamp(os.fstat(opened.fileno()))
            async with aclosing(_chunks(opened, path)) as chunks:
                yield SourceFile(chunks=chunks, stamp=stamp, is_manifest=False, ends_visibly=True)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceFault(f"{path.name} cannot be read: {error.strerror}") from None
    with file:
        yield file


async def _chunks(file: BinaryIO, path: Path) -> AsyncGenerator[bytes, None]:
    before = _stamp(os.fstat(file.fileno()))
    try:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
        after = _stamp(os.fstat(file.fileno()))
    except OSError as error:
        raise SourceFault(f"{path.name} cannot be read: {error.strerror}") from None
    if after != before:
        raise SourceFault(f"{path.name} changed while it was read")


def _stamp(status: os.stat_result) -> Stamp:
    """Return an entity tag of the file's attributes that change when the file is written again."""
    return Stamp(etag=f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}")
