"""The one table of columns with tokens, which a replacement of the token key walks over.

A test compares it with all columns of the schema that have the type
`checker.database.token_column.TokenColumn`.
"""

from typing import Final

import msgspec

from cache.token import TOKEN_BYTES
from cache.token_key import TokenKey


class TokenPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A table with tokens. The other columns have a token only where the first column has one.

    `optional` are the columns that may be NULL. `is_key`: the primary key has the first column.
    `is_purged`: a row may lose its token while it stays (`checker.registry.purge`).
    """

    table: str
    columns: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    is_key: bool = False
    is_purged: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that are never NULL."""
        return tuple([each for each in self.columns if each not in self.optional])

    @property
    def first(self) -> str:
        """The column that shows whether a row has a token."""
        return self.columns[0]


TOKEN_TABLES: Final[tuple[TokenPlace, ...]] = (
    TokenPlace(table="document", columns=("token", "name_token")),
    TokenPlace(table="bound_document", columns=("token",)),
    TokenPlace(table="directive", columns=("token",), optional=frozenset({"token"})),
    TokenPlace(table="permit", columns=("token",), is_purged=True),
    TokenPlace(table="ending", columns=("token",), optional=frozenset({"token"})),
    TokenPlace(table="outline", columns=("token",), is_key=True),
    TokenPlace(table="outbox", columns=("token",), is_key=True),
    TokenPlace(
        table="authorization_step",
        columns=("token", "counted_tokens"),
        optional=frozenset({"counted_tokens"}),
    ),
    TokenPlace(table="spending_total", columns=("token",), is_key=True),
    TokenPlace(table="open_hold", columns=("token",)),
)


def next_column(column: str) -> str:
    """Return the name of the column that gets the tokens of the next key."""
    return f"{column}_next"


def old_column(column: str) -> str:
    """Return the name of the column that has the tokens of the key before."""
    return f"{column}_old"


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """A step from one token key to the next."""

    before: TokenKey
    after: TokenKey

    def moved(self, stored: bytes | None) -> bytes | None:
        """Return a stored value under the next key.

        NULL and an empty value stay. So does a value of another length, which somebody has put
        there: it finds nobody, and `checker audit verify` shows it.
        """
        if not stored or len(stored) % TOKEN_BYTES:
            return stored
        return self.after.stored(self.before.restored(stored))
