"""A place that publishes a list, as the connector sees every such place.

At a source's address stands either the list itself, as one file, or a manifest that names files.
There are two kinds: `checker.connector.web_source` and `checker.connector.folder_source`.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import msgspec

from checker.connector.plan import Stamp

CHUNK_BYTES: Final = 1 << 18

# Files with these names are lists, whatever type the server names.
LIST_SUFFIXES: Final = (".ndjson", ".jsonl")


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file while it arrives. `chunks` can be read once, and raises SourceFault where it breaks.

    `ends_visibly`: whether the source shows where the file ends, so that a file that is cut off is
    noticed.
    """

    chunks: AsyncGenerator[bytes, None]
    stamp: Stamp
    is_manifest: bool
    ends_visibly: bool


class ListSource(Protocol):
    """A place that publishes a list. Every failure is a SourceFault."""

    @property
    def name(self) -> str:
        """The name of the source, without secrets. Two sources have two names."""
        ...

    def look(self, known: Stamp) -> AbstractAsyncContextManager[SourceFile | None]:
        """Yield the file at the address, or None if it still has the stamp `known`."""
        ...

    def open(self, file: str) -> AbstractAsyncContextManager[SourceFile]:
        """Yield a file that the manifest names. `look` must have yielded the manifest before."""
        ...
