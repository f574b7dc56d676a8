"""A process's copy of some rows of PostgreSQL, which is read again when their mark changes.

A mark is one short row that changes whenever the rows change: a counter, or the newest instant.
The owner of a copy asks for fresh rows a few times a second. Most rounds read the mark alone.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors

_Rows = TypeVar("_Rows")


class RowsCopy(Generic[_Rows]):
    """Reads the rows of one copy. `mark` selects the mark; `read` reads the rows."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        mark: Executable,
        read: Callable[[AsyncConnection], Awaitable[_Rows]],
    ) -> None:
        self._engine = engine
        self._mark = mark
        self._read = read
        self._seen: tuple[object, ...] | None = None

    async def fresh(self, *, is_due: bool = False) -> _Rows | None:
        """Return the rows if their mark has changed since the last call; else None.

        With `is_due` the rows are read even if the mark is the same. Without any mark in the
        database the rows are read in every round.

        Raises:
            Unavailable: PostgreSQL is away. The next call reads the rows again.
        """
        with driver_errors():
            async with self._engine.connect() as connection:
                # The mark is read before the rows: a change in between is read now, and once more.
                row = (await connection.execute(self._mark)).one_or_none()
                mark = None if row is None else tuple(row)
                if mark is not None and mark == self._seen and not is_due:
                    return None
                rows = await self._read(connection)
        self._seen = mark
        return rows
