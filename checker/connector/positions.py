"""The positions of all sources in PostgreSQL, and the lock of the follower of each source.

A follower holds an advisory lock of the source while it works. It writes the position through the
connection that holds the lock, so a follower without the lock cannot write a position. The lock's
key is a pair of 32-bit numbers. PostgreSQL keeps pairs apart from the single numbers of
`checker.database.locks`.

A follower may also be frozen between its look and the change of the list, and lose its connection
and its lock meanwhile. So each file is taken in under terms (`HeldPosition.terms`):

- A fence: in the transaction of the change, the position is still the one that the follower read.
- A key of the step: a file that is in force already is answered from the record, and a file of
  changes goes on after the last line that is on the record.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.connector.plan import SourcePosition, SourceStepKind, Stamp
from checker.connector.schema import followed_source
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.errors import Conflict, Unavailable
from checker.intake.feed_requests import FeedTerms, RequestKey

# Spells `flww`.
_LOCK_SPACE = 0x666C7777
_LOCK = text("SELECT pg_try_advisory_lock(CAST(:space AS integer), CAST(:key AS integer))")
_UNLOCK = text("SELECT pg_advisory_unlock(CAST(:space AS integer), CAST(:key AS integer))")


class Positions:
    """The positions of all sources. Every method raises Unavailable if PostgreSQL is away."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @asynccontextmanager
    async def hold(self, source: str) -> AsyncIterator["HeldPosition | None"]:
        """Yield the position of a source, locked, or None if another follower holds the lock."""
        parameters = {"space": _LOCK_SPACE, "key": _lock_key(source)}
        async with AsyncExitStack() as stack:
            with driver_errors():
                connection = await stack.enter_async_context(self._engine.connect())
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                held = bool((await connection.execute(_LOCK, parameters)).scalar_one())
            if not held:
                yield None
                return
            try:
                yield HeldPosition(connection, self._clock, source)
            finally:
                # A connection that is gone has given its lock back.
                with suppress(Unavailable, PendingRollbackError), driver_errors():
                    await connection.execute(_UNLOCK, parameters)


class HeldPosition:
    """The locked position of one source."""

    def __init__(self, connection: AsyncConnection, clock: Clock, source: str) -> None:
        self._connection = connection
        self._clock = clock
        self._source = source
        self._written_at: datetime | None = None

    async def read(self) -> SourcePosition:
        """Return the position, which is empty if the source was never taken in."""
        table = followed_source
        statement = select(table).where(table.c.source == self._source)
        with driver_errors():
            row = (await self._connection.execute(statement)).mappings().one_or_none()
        if row is None:
            return SourcePosition()
        self._written_at = row["at"]
        return SourcePosition(
            series=row["series"],
            number=row["number"],
            file=row["file"],
            sha256=row["sha256"],
            stamp=Stamp(etag=row["etag"], last_modified=row["last_modified"]),
        )

    async def write(self, position: SourcePosition) -> None:
        """Write how far the source was taken in, and the instant of this look."""
        at = self._clock.now()
        values = {
            "series": position.series,
            "number": position.number,
            "file": position.file,
            "sha256": position.sha256,
            "etag": position.stamp.etag,
            "last_modified": position.stamp.last_modified,
            "at": at,
        }
        statement = insert(followed_source).values(source=self._source, **values)
        with driver_errors():
            await self._connection.execute(
                statement.on_conflict_do_update(index_elements=["source"], set_=values)
            )
        self._written_at = at

    def terms(self, position: SourcePosition, kind: SourceStepKind, sha256: str) -> FeedTerms:
        """Return the terms for the next file. `position` is where the source stands before the
        file.

        A refusal is not kept: the list in force may be another one in the next round.
        """
        step = (self._source, str(self._written_at), _text_of(position), kind, sha256)
        key = RequestKey(key_digest=_digest(step), request_digest=_digest(("step",)))
        return FeedTerms(key=key, fence=self._fence, keeps_refusals=False)

    async def _fence(self, connection: AsyncConnection) -> None:
        table = followed_source
        statement = select(table.c.at).where(table.c.source == self._source)
        if (await connection.execute(statement)).scalar() != self._written_at:
            raise Conflict("another follower has taken in this source meanwhile; nothing was done")


def _lock_key(source: str) -> int:
    """Return 32 bits for a source. Two sources with the same bits only take turns."""
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:4], signed=True)


def _text_of(position: SourcePosition) -> str:
    """Return a position as it stands in the keys of steps.

    PostgreSQL holds keys of steps that were interrupted by an upgrade, so this text stays.
    """
    stamp = position.stamp
    return (
        f"Position(series={position.series!r}, number={position.number!r},"
        f" file={position.file!r}, sha256={position.sha256!r},"
        f" stamp=Stamp(etag={stamp.etag!r}, last_modified={stamp.last_modified!r}))"
    )


def _digest(words: tuple[str, ...]) -> bytes:
    """Return a digest of names and numbers of files. None of them is personal."""
    text = "\0".join(words)
    return hashlib.sha256(text.encode()).digest()
