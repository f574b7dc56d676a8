"""The type of columns with tokens: PostgreSQL has stored tokens, and Python has tokens.

A statement with this type stores and finds tokens under the key that is current
(`cache.token_key.TokenKeys`). So no other part knows of the key. The keys belong to the engine.

Every parameter and every result that holds tokens needs this type. PostgreSQL itself compares and
joins stored tokens, all of one key (`checker.database.token_fence`).

The key stays for a transaction, so results are read before their transaction ends. A statement
without a transaction has no fence. Its reader compares the key with `CURRENT_KEY`, which the same
statement returns, and then begins again within a transaction (`KeyWatch`). This is enough, because
a statement of READ COMMITTED first locks all its tables, and only then takes its snapshot. The
replacement holds these tables alone while it puts other tokens in place, and it names the new key
in the same transaction. So the statement sees the number and the tokens of one key.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    column,
    func,
    select,
    table,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeDecorator

from cache.token import TOKEN_BYTES
from cache.token_key import FIRST_KEY, TokenKeys
from checker.database.token_fence import TokenKeyReplaced

_KEYS = "checker_token_keys"


class TokenColumn(TypeDecorator[bytes]):
    """One token, several tokens one behind the other, nothing (b"" of a purged row), or NULL."""

    impl = LargeBinary
    cache_ok = True

    # Not by `process_bind_param` and its like: with three calls more, each token of each row would
    # cost twice as much. The driver takes and gives bytes as they are.
    def bind_processor(self, dialect: Dialect) -> Callable[[bytes | None], bytes | None]:
        """Return the function that stores a parameter under the current key."""
        keys = _keys(dialect)

        def stored(tokens: bytes | None) -> bytes | None:
            return keys.current.stored(tokens) if tokens else tokens

        return stored

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[bytes | None], bytes | None]:
        """Return the function that makes tokens of their stored form."""
        keys = _keys(dialect)

        def restored(value: bytes | None) -> bytes | None:
            # A value of another length was tampered with. It finds nobody, and is shown as a fault.
            if not value or len(value) % TOKEN_BYTES:
                return value
            return keys.current.restored(value)

        return restored


# `checker.rotation.schema` has the table. The newest key that was ever current is the current one.
_token_key = table(
    "token_key", column("number", Integer), column("current_from", DateTime(timezone=True))
)
CURRENT_KEY: Final[ColumnElement[int]] = (
    select(func.coalesce(func.max(_token_key.c.number), FIRST_KEY))
    .where(_token_key.c.current_from.is_not(None))
    .scalar_subquery()
)
"""The number of the key of all stored tokens, in the snapshot of a statement."""


class KeyWatch:
    """Watches the key of statements without a transaction, from before the first one is sent.

    A parameter is bound in the step in which its statement is sent, and nothing else runs in this
    step. The same holds for a result and the step that reads it.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._keys = _keys(connection.dialect)
        self.number = self._keys.current.number
        """The number of the key that was current when the watch began."""

    def require(self, registry_number: int | None = None) -> None:
        """Require that this process still has the key, and that the registry has this one.

        Raises:
            TokenKeyReplaced: the process or the registry has another key.
        """
        if self._keys.current.number != self.number or registry_number not in {None, self.number}:
            raise TokenKeyReplaced("the token key was replaced meanwhile: do it again")


def give_keys(engine: AsyncEngine, keys: TokenKeys) -> None:
    """Let the statements of an engine store tokens under the current one of these keys."""
    setattr(engine.sync_engine.dialect, _KEYS, keys)


def keys_of(engine: AsyncEngine | AsyncConnection) -> TokenKeys:
    """Return the keys of an engine, or of the engine of a connection."""
    return _keys(engine.dialect)


def _keys(dialect: Dialect) -> TokenKeys:
    keys: TokenKeys | None = getattr(dialect, _KEYS, None)
    assert keys is not None, "an engine whose statements have tokens is opened with token_keys"
    return keys
