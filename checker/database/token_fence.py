"""The fence around the key of stored tokens: no transaction works with a key that was replaced.

A process binds tokens under one key (`checker.database.token_column`), and PostgreSQL holds stored
tokens of one key. Both must be the same key, from the beginning of a transaction to its end, or a
listed person would not be found. So the key's number is in the name of an empty table:

    each transaction      begins with LOCK TABLE token_fence_2 IN ACCESS SHARE MODE
    the replacement       holds token_fence_2 alone, puts tokens of key 3 in place, and renames the
                          fence to token_fence_3, all in one transaction (`checker.rotation`)

A transaction that runs keeps the replacement waiting. A transaction that begins later, in a process
that still has key 2, does not find its fence, and nothing of it is sent. The process then looks
which fence stands, and uses that key from the next transaction on.

`LOCK TABLE` looks the name up again when it has the lock, and takes no snapshot. So a transaction
that waited sees the state after the replacement.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg

from cache.token_key import TokenKeys

FENCE: Final = "token_fence_"
"""The name of the fence, before the number of the key."""


class TokenKeyReplaced(asyncpg.SerializationError):  # type: ignore[misc]  # no types
    """The token key was replaced before this transaction began: done again, it passes."""


class TokenKeyMissing(asyncpg.ObjectNotInPrerequisiteStateError):  # type: ignore[misc]
    """The process does not hold the token key of the registry."""


def hold_fence(number: int) -> str:
    """Return the statement that holds a key's fence until the transaction ends."""
    return f"LOCK TABLE {FENCE}{number} IN ACCESS SHARE MODE;"


class TokenFence:
    """The fence of a process with these keys. It stands once the registry has named the key."""

    def __init__(self, keys: TokenKeys) -> None:
        self._keys = keys

    def words(self) -> str:
        """Return what a transaction begins with."""
        return hold_fence(self._keys.current.number) if self._keys.is_settled else ""

    async def refused(
        self, error: asyncpg.PostgresError, execute: Callable[[str], Awaitable[Any]]
    ) -> None:
        """Use the key whose fence stands, if this process's fence is gone.

        Raises:
            TokenKeyReplaced: the process uses another key from now on.
            TokenKeyMissing: the process does not hold the key whose fence stands.
        """
        if not isinstance(error, asyncpg.UndefinedTableError):
            return
        for number in sorted(self._keys.fingerprints, reverse=True):
            with suppress(asyncpg.UndefinedTableError):
                try:
                    await execute(f"BEGIN;{hold_fence(number)}")
                finally:
                    await execute("ROLLBACK;")
                self._keys.use(number)
                raise TokenKeyReplaced("the token key was replaced: do it again")
        raise TokenKeyMissing("the secrets lack the token key of the registry")
