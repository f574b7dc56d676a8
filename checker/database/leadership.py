"""One process of a deployment leads a piece of work, by an advisory lock of its connection.

The other processes stand by. Another process takes over when PostgreSQL sees that connection end. A
leader that freezes loses the connection too, by its idle time-out. So a leader sends something now
and then, and its work must bear being done by two processes for a moment.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, Generic, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock
from checker.work import Work

LEADER_IDLE_S: Final = 2
"""A leader that sends nothing for so long has frozen, and PostgreSQL ends its connection."""

L = TypeVar("L")


class Lead(Generic[L]):
    """One contender for the lead of a piece of work; it keeps the lead from round to round.

    `begin` opens a leader on the leading connection, which is in autocommit. The leader is closed
    when the lead ends. The errors `outlived` do not end the lead; every other error does.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        lock: Lock,
        *,
        begin: Callable[[AsyncConnection], AbstractAsyncContextManager[L]],
        idle_s: int = LEADER_IDLE_S,
        outlived: tuple[type[Exception], ...] = (),
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._begin = begin
        self._idle_s = idle_s
        self._outlived = outlived
        self._held: tuple[L, AsyncExitStack] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process leads, as far as it knows."""
        return self._held is not None

    def work(
        self,
        name: str,
        *,
        every_s: float,
        do: Callable[[L], Awaitable[None]],
        stand_by_s: float,
    ) -> Work:
        """Return the work that does a round with the leader, or stands by for `stand_by_s`."""

        async def lead_or_stand_by() -> float | None:
            async with self.turn() as leader:
                if leader is None:
                    return stand_by_s
                await do(leader)
            return None

        return Work(name=name, every_s=every_s, do=lead_or_stand_by, at_end=self.give_up)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[L | None]:
        """Give the leader for one round; None means that another process leads.

        Raises:
            Unavailable: PostgreSQL is away; the lead has ended.
        """
        with driver_errors():
            leader = await self._take() if self._held is None else self._held[0]
            try:
                yield leader
            except self._outlived:
                raise
            except BaseException:
                await self.give_up()
                raise

    async def give_up(self) -> None:
        """Close the leader and end the lead, if this process leads."""
        held, self._held = self._held, None
        if held is not None:
            await held[1].aclose()

    async def _take(self) -> L | None:
        async with AsyncExitStack() as stack:
            leading = _leading(self._engine, self._lock, self._idle_s)
            connection = await stack.enter_async_context(leading)
            if connection is None:
                return None
            leader = await stack.enter_async_context(self._begin(connection))
            self._held = leader, stack.pop_all()
        return leader


@asynccontextmanager
async def _leading(
    engine: AsyncEngine, lock: Lock, idle_s: int
) -> AsyncIterator[AsyncConnection | None]:
    """Give the leader's connection, in autocommit; None means that another process leads."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        wanted = text("SELECT pg_try_advisory_lock(:n)")
        held = (await connection.execute(wanted, {"n": int(lock)})).scalar_one()
        if not held:
            yield None
            return
        try:
            await connection.execute(text(f"SET idle_session_timeout = '{idle_s}s'"))
            yield connection
        finally:
            # Never back to the pool: the lock and the time-out are the session's.
            await connection.invalidate()
