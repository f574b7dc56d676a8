"""The type of columns with tokens: PostgreSQL has stored tokens, and Python has tokens.

A statement with this type stores and finds tokens under the key that is current
(`cache.token_key.TokenKeys`). So no other part knows of the key. The keys belong to the engine.

Every parameter and every result that holds tokens needs this type. PostgreSQL itself compares and
joins stored tokens, all of one key (`checker.database.token_fence`).
"""

from typing import Any

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

from cache.token_key import TokenKeys

_KEYS = "checker_token_keys"


class TokenColumn(TypeDecorator[bytes]):
    """One token, several tokens one behind the other, nothing (b"" of a purged row), or NULL."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Return the stored form."""
        return value if not value else _keys(dialect).current.stored(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """Return the tokens of their stored form."""
        return value if not value else _keys(dialect).current.restored(value)


def give_keys(engine: AsyncEngine, keys: TokenKeys) -> None:
    """Let the statements of an engine store tokens under the current one of these keys."""
    setattr(engine.sync_engine.dialect, _KEYS, keys)


def keys_of(engine: AsyncEngine) -> TokenKeys:
    """Return the keys of an engine."""
    return _keys(engine.sync_engine.dialect)


def _keys(dialect: Dialect) -> TokenKeys:
    keys: TokenKeys = getattr(dialect, _KEYS)
    return keys
