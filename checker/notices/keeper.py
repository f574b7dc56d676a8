"""Leads the notices of a deployment: one process writes and sends them, and another stands by.

No other work waits for the notices. The next leader writes the notices of the time without one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.leadership import leadership
from checker.database.locks import Lock
from checker.domain.clock import Clock
from checker.fault_log import FaultLog
from checker.notices.fence import Fence
from checker.notices.schema import delivery, notice
from checker.notices.sender import Sender
from checker.notices.writer import NoticeWriter, Pass

LOOK_INTERVAL_S: Final = 0.25
"""How long an ending waits to be told of at most, where nothing else is in the way."""

STAND_BY_S: Final = 1.0

LEADER_IDLE_S: Final = 60
"""A snapshot that ends a million listings is one long step, and meanwhile the leader is silent."""

PRUNE_INTERVAL: Final = timedelta(hours=1)

DAYS_OF_MONTH_MAX: Final = 31

_log = logging.getLogger(__name__)


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
        self._keep = timedelta(days=DAYS_OF_MONTH_MAX * (keep_months + 1))

    async def run(self) -> None:
        """Lead until cancelled; what fails is tried again."""
        faults = FaultLog(_log, "telling of endings")
        while True:
            try:
                with driver_errors():
                    async with leadership(
                        self._engine, Lock.NOTICE_KEEPER, idle_s=LEADER_IDLE_S
                    ) as connection:
                        if connection is not None:
                            async with self._sending():
                                await self._lead(connection, faults)
            except Exception as error:
                faults.met(error)
            await asyncio.sleep(STAND_BY_S)

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        sending = asyncio.create_task(self._sender.run(), name="sender of notices")
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _lead(self, connection: AsyncConnection, faults: FaultLog) -> None:
        fence = Fence()
        await fence.put(connection, await self._writer.position(Pass.FIRST))
        pruned_at: datetime | None = None
        while True:
            await self.tell_due(connection, fence)
            faults.passed()
            now = self._clock.now()
            if pruned_at is None or now - pruned_at >= PRUNE_INTERVAL:
                await self.prune(now - self._keep)
                pruned_at = now
            await asyncio.sleep(LOOK_INTERVAL_S)

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
