"""Connections that send further words in the message that begins a transaction.

A word costs no trip of its own, and holds for the transaction. If PostgreSQL refuses a word,
nothing of the transaction is sent, and the connection ends: the driver takes a transaction that did
not begin for one that is open.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

import asyncpg

Words = Callable[[], str]
"""Returns statements of SQL, each with a semicolon, at the moment of the beginning."""

Refused = Callable[[asyncpg.PostgresError, Callable[[str], Awaitable[Any]]], Awaitable[None]]
"""Looks at a refusal, with a function that sends a statement; may raise another error. The refused
transaction is rolled back."""


class BeginningConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection whose transactions begin with the words."""

    words: ClassVar[Sequence[Words]]
    refused: ClassVar[Sequence[Refused]]

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        """Send `query`; behind `BEGIN` also the words."""
        if not query.startswith("BEGIN"):
            return await super().execute(query, *args, **options)
        try:
            return await super().execute(query + "".join(word() for word in self.words), **options)
        except asyncpg.PostgresError as error:
            if not self.is_closed():
                await super().execute("ROLLBACK;", **options)
                for look in self.refused:
                    await look(error, super().execute)
            raise
        finally:
            if not self.is_closed() and not self.is_in_transaction():
                self.terminate()


def connection_with(words: Sequence[Words], refused: Sequence[Refused] = ()) -> dict[str, Any]:
    """Return the options of connections whose transactions begin with these words.

    Each of `refused` looks at a refusal, after the transaction was rolled back.
    """
    attributes = {"words": tuple(words), "refused": tuple(refused)}
    return {"connection_class": type("BeginningConnection", (BeginningConnection,), attributes)}
