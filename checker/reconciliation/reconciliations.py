"""The reconciliations of a deployment: begun, worked on, read, and forgotten.

A file exists only in the batch in work, and in the queue before it if the caller does not wait. So
an interrupted reconciliation cannot go on. The caller learns how many lines were judged, and sends
the rest.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.keys import Caller
from checker.accounts.quotas import Quotas
from checker.database.engine import attempt, driver_errors
from checker.domain.clock import Clock
from checker.errors import CheckerError, NotFound, Unavailable
from checker.policy.book import PolicyBook
from checker.reconciliation import rows
from checker.reconciliation.batches import BatchQueue
from checker.reconciliation.history import History
from checker.reconciliation.job import (
    HEARTBEAT_S,
    Reconciliation,
    ReconciliationResult,
    ReconciliationStatus,
)
from checker.reconciliation.past_sale import Line, SalesReader
from checker.reconciliation.working import REFERENCE, Working
from checker.registry.sealing import Sealer
from checker.work import Work

RUNNING_MAX: Final = 2
"""Reconciliations that one process runs at once. Each takes a connection from the checks."""

BUSY_S: Final = 10
"""When another one may be tried."""

KEPT: Final = timedelta(days=30)
"""How long results can be fetched."""

_log = logging.getLogger(__name__)


class Reconciliations:
    """The reconciliations of one process."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        policies: PolicyBook,
        clock: Clock,
        quotas: Quotas,
        kept_for: timedelta,
    ) -> None:
        self._engine = engine
        self._vault = sealer.vault
        self._clock = clock
        self._working = Working(
            engine=engine,
            sealer=sealer,
            history=History(sealer, policies),
            clock=clock,
            quotas=quotas,
            kept_for=kept_for,
        )
        self._running: set[str] = set()
        self._tasks: set[asyncio.Task[Reconciliation]] = set()

    async def open(self, caller: Caller) -> Reconciliation:
        """Begin a reconciliation without lines, and return it. `work` or `take_in` comes next.

        Raises:
            Unavailable: too many run in this process already, or the registry cannot be reached.
        """
        if len(self._running) >= RUNNING_MAX:
            text = "so many reconciliations run that another one must wait"
            raise Unavailable(text, retry_after_s=BUSY_S)
        now = self._clock.now()
        row: dict[str, Any] = {
            "id": str(uuid4()),
            "account_id": caller.account_id,
            "status": ReconciliationStatus.RUNNING,
            "created_at": now,
            "touched_at": now,
            **dict.fromkeys(("lines", "adverse", "rejected"), 0),
        }
        self._running.add(row["id"])
        try:
            with driver_errors():
                async with self._engine.begin() as connection:
                    return await rows.write(connection, row)
        except BaseException:
            self._running.discard(row["id"])
            raise

    async def work(
        self,
        opened: Reconciliation,
        caller: Caller,
        reader: SalesReader,
        batches: AsyncIterator[Sequence[Line]],
    ) -> Reconciliation:
        """Judge all lines, and return the reconciliation. Raises the errors of `Working.work`."""
        try:
            return await self._working.work(opened, caller, reader, batches)
        finally:
            self._running.discard(opened.id)

    async def take_in(
        self,
        opened: Reconciliation,
        caller: Caller,
        reader: SalesReader,
        batches: AsyncIterator[Sequence[Line]],
    ) -> None:
        """Take all lines in, and judge them meanwhile.

        Lines that are left when this returns are judged afterwards. The queue is bounded, so a
        sender that is faster than the work waits.

        Raises the errors of `work`, for as long as lines come in.
        """
        queue = BatchQueue()
        work = asyncio.create_task(self.work(opened, caller, reader, queue.batches()))
        self._tasks.add(work)
        work.add_done_callback(self._ended)
        filling = asyncio.create_task(queue.fill(batches))
        try:
            await asyncio.wait((work, filling), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not filling.done():
                filling.cancel()
                work.cancel()
        await (filling if filling.done() else work)

    async def find(self, account_id: str, reconciliation_id: str) -> Reconciliation:
        """Return a reconciliation of an account. Raises NotFound and Unavailable."""

        async def read(connection: AsyncConnection) -> Reconciliation | None:
            return await rows.find(connection, account_id, reconciliation_id)

        with driver_errors():
            found = await attempt(self._engine, read)
        if found is None:
            raise NotFound("there is no reconciliation of this id")
        return found.at(self._clock.now())

    async def page(self, account_id: str, after: int, limit: int) -> tuple[Reconciliation, ...]:
        """Return up to `limit` reconciliations of an account behind the number `after`, oldest
        first.

        Raises Unavailable.
        """

        async def read(connection: AsyncConnection) -> tuple[Reconciliation, ...]:
            return await rows.read_page(connection, account_id, after, limit)

        with driver_errors():
            found = await attempt(self._engine, read)
        return tuple(each.at(self._clock.now()) for each in found)

    async def results(
        self, number: int, after: int, limit: int
    ) -> tuple[ReconciliationResult, ...]:
        """Return up to `limit` results behind the line `after`, in the order of their lines.

        Raises Unavailable.
        """

        async def read(connection: AsyncConnection) -> Sequence[Any]:
            return await rows.read_results(connection, number, after, limit)

        with driver_errors():
            found = await attempt(self._engine, read)
        return tuple(self._result(row) for row in found)

    @property
    def upkeep(self) -> Work:
        """Keep the reconciliations of this process, again and again."""
        return Work(name="keeping reconciliations", every_s=HEARTBEAT_S, do=self.keep)

    async def keep(self) -> None:
        """Note which reconciliations run here, and forget old ones. Raises Unavailable."""
        now = self._clock.now()
        with driver_errors():
            if self._running:
                async with self._engine.begin() as connection:
                    await rows.touch(connection, self._running, now)
            is_left = True
            while is_left:
                async with self._engine.begin() as connection:
                    is_left = await rows.forget(connection, now - KEPT)

    async def aclose(self) -> None:
        """Stop. Unfinished reconciliations are interrupted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _result(self, row: Any) -> ReconciliationResult:
        reference = row.reference
        return ReconciliationResult(
            line=row.line,
            reference=None
            if reference is None
            else self._vault.open(reference, REFERENCE, str(row.reconciliation_pk), str(row.line)),
            sold_at=row.sold_at,
            service=row.service,
            jurisdiction=row.jurisdiction,
            decision=row.decision,
            reasons=row.reasons,
            list_version=row.list_version,
            error=row.error,
        )

    def _ended(self, task: asyncio.Task[Reconciliation]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, CheckerError):
            # The text and the place of the error could name a person, so neither is logged.
            _log.error("unexpected %s in a reconciliation", type(error).__name__)
