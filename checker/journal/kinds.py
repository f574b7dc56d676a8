"""Kinds of rows that the journal names: where their rows are, and how each row is digested.

Each part of the service describes its own kinds. A description has two uses: to enter the rows that
are older than the journal, and to verify.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Executable, TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.token_column import TokenColumn
from checker.errors import ConfigurationError
from checker.journal.entries import Area

Digests = Callable[[AsyncConnection, Sequence[Any]], Awaitable[Sequence[bytes | str]]]
"""Returns the digests of rows, in their order; a text is the reason why a row has no digest."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of row.

    `rows` is a query that gives `key`, `version` (0 for rows that belong to no change of the list)
    and the columns that `digests` reads. Without `digests` a row has nothing besides its key.

    `tokens` names the columns that hold tokens.

    A row of `is_state` is written more than once. Its newest entry counts, which may say that the
    row is gone. All other rows are entered once.
    """

    area: Area
    name: str
    rows: str
    digests: Digests | None
    is_state: bool = False
    tokens: tuple[str, ...] = ()

    def typed(self, statement: TextClause) -> Executable:
        """Return a statement whose rows have all columns of `rows`; its results are tokens."""
        if not self.tokens:
            return statement
        return statement.columns(**dict.fromkeys(self.tokens, TokenColumn))


def each_digested(digest: Callable[[Any], bytes]) -> Digests:
    """Return a function that digests rows one by one; a text names a sealed value that does not
    open.
    """

    async def digests(_connection: AsyncConnection, rows: Sequence[Any]) -> list[bytes | str]:
        return [digested(digest, row) for row in rows]

    return digests


def digested(digest: Callable[[Any], bytes], row: Any) -> bytes | str:
    """Return the digest of one row, or a text that says that a sealed value does not open."""
    try:
        return digest(row)
    except ConfigurationError as error:
        return str(error)
