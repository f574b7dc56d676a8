"""Where a list is published: what the connector wants of any such place.

At a source's address stands either the list itself, as one file, or a manifest that names files.
`checker.connector.web_source` and `checker.connector.folder_source` are the two kinds there are.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import msgspec

from checker.connector.plan import Stamp

CHUNK_BYTES: Final = 1 << 18

# What is certainly a list, whatever type its server gives it.
LIST_SUFFIXES: Final = (".ndjson", ".jsonl")


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it comes in; `chunks` can be read once, and raises `SourceFault` where it breaks.

    `told_whole` says whether a body that is cut off could not pass for a whole one.
    """

    chunks: AsyncGenerator[bytes, None]
    stamp: Stamp
    is_manifest: bool
    told_whole: bool


class ListSource(Protocol):
    """A place that publishes a list. Whatever fails is a `SourceFault`."""

    @property
    def name(self) -> str:
        """Tell one source from another, with nothing secret in it."""
        ...

    def look(self, known: Stamp) -> AbstractAsyncContextManager[SourceFile | None]:
        """Open what stands at the address; None: it is still what `known` was given for."""
        ...

    def open(self, file: str) -> AbstractAsyncContextManager[SourceFile]:
        """Open a file that the manifest names; only after `look` gave the manifest."""
        ...
