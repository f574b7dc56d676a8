"""Kinds of rows that the journal names: where their rows are, and how each is digested.

Each part of the service describes its own kinds. The description serves twice: to enter what stood
in a database before there was a journal, and to verify.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.errors import ConfigurationError
from checker.journal.entries import Area

Digests = Callable[[AsyncConnection, Sequence[Any]], Awaitable[Sequence[bytes | str]]]
"""Digests rows, in their order; a text says why a row cannot be digested."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of row.

    `rows` is a query that gives `key`, `version` (0 where no change of the list is meant) and what
    `digests` asks for. Without `digests` the key says all there is.

    A row of `is_state` is written more than once: its newest entry counts, and the entry that it is
    gone. All other rows are entered once.
    """

    area: Area
    name: str
    rows: str
    digests: Digests | None
    is_state: bool = False


def each_digested(digest: Callable[[Any], bytes]) -> Digests:
    """Digest rows one by one; a sealed value that does not open is told with its row."""

    async def digests(_connection: AsyncConnection, rows: Sequence[Any]) -> list[bytes | str]:
        return [digested(digest, row) for row in rows]

    return digests


def digested(digest: Callable[[Any], bytes], row: Any) -> bytes | str:
    """Digest one row; a text says that a sealed value of it does not open."""
    try:
        return digest(row)
    except ConfigurationError as error:
        return str(error)
