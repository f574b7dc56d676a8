"""Leads the notices of a deployment: one process writes and sends them, and another stands by.

No other work waits for the notices. The next leader writes the notices of the time without one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.leadership import Lead
from checker.database.locks import Lock
from checker.domain.clock import Clock
from checker.notices.fence import Fence
from checker.notices.schema import delivery, notice
from checker.notices.sender import Sender
from checker.notices.writer import NoticeWriter, Pass
from checker.work import Work

LOOK_INTERVAL_S: Final = 0.25
"""How long an ending waits to be told of at most, where nothing else is in the way."""

STAND_BY_S: Final = 1.0

LEADER_IDLE_S: Final = 60
"""A snapshot that ends a million listings is one long step, and meanwhile the leader is silent."""

PRUNE_INTERVAL: Final = timedelta(hours=1)

DAYS_OF_MONTH_MAX: Final = 31


class NoticeKeeper:
    """Leads or stands by. `engine` is one without a bound on statements.

    Notices are kept a month longer than decisions. While a decision is kept, its notices are
    kept too, and no notice is repeated.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        writer: NoticeWriter,
        sender: Sender,
        *,
        keep_months: int,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._writer = writer
        self._sender = sender
        self._pruned_at: datetime | None = None
        self._keep_for = timedelta(days=DAYS_OF_MONTH_MAX * (keep_months + 1))

    def works(self) -> tuple[Work, ...]:
        """Return the works of one contender: notice endings, and send, while it leads."""
        lead = Lead(self._engine, Lock.NOTICE_KEEPER, begin=self._begin, idle_s=LEADER_IDLE_S)
        tell = lead.work(
            "telling of endings", every_s=LOOK_INTERVAL_S, do=self._keep, stand_by_s=STAND_BY_S
        )
        return tell, self._sender.work(lambda: lead.is_held)

    async def _keep(self, leader: tuple[AsyncConnection, Fence]) -> None:
        await self.tell_due(*leader)
        now = self._clock.now()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_INTERVAL:
            await self.prune(now - self._keep_for)
            self._pruned_at = now

    @asynccontextmanager
    async def _begin(
        self, connection: AsyncConnection
    ) -> AsyncIterator[tuple[AsyncConnection, Fence]]:
        fence = Fence()
        await fence.put(connection, await self._writer.position(Pass.FIRST))
        yield connection, fence

    async def tell_due(self, connection: AsyncConnection, fence: Fence) -> None:
        """Take the first pass to the present, and the second pass as far as the fence allows."""
        stepped = False
        while await self._writer.step(Pass.FIRST) is not None:
            stepped = True
            await fence.put(connection, await self._writer.position(Pass.FIRST))
        # Still the leader: a lost connection raises here.
        settled = await fence.reached(connection)
        if settled is None and not stepped:
            await connection.execute(text("SELECT 1"))
        if settled is not None:
            while await self._writer.step(Pass.AGAIN, limit=settled) is not None:
                pass

    async def prune(self, before: datetime) -> None:
        """Remove notices of before an instant, but for those that are on their way. Unavailable."""
        undelivered = select(delivery.c.notice_pk).where(delivery.c.notice_pk == notice.c.pk)
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(
                    delete(notice).where(notice.c.at < before, ~undelivered.exists())
                )
