"""Keeps the audit in order: makes the links of both chains, makes months, removes old months.

One process of a deployment keeps the audit, and another takes over when it ends. Nothing waits for
the keeper: without one, decisions queue for the chain and stand in the rest.
"""

import logging
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.chain import extend_decisions
from checker.audit.journaled import DecisionHeads
from checker.audit.months import Months
from checker.database.leadership import Lead
from checker.database.locks import Lock
from checker.domain.clock import Clock
from checker.errors import Unavailable
from checker.fault_log import FaultLog
from checker.journal.chain import extend_journal
from checker.vault import Vault
from checker.work import Work

CHAIN_INTERVAL_S: Final = 0.5
"""About the time that a decision waits for its link."""

STAND_BY_S: Final = 1.0
MONTHS_INTERVAL: Final = timedelta(hours=1)

MONTHS_PAUSE: Final = timedelta(minutes=1)
"""The pause after a failure, for example while a long verification holds the table."""

LEADER_IDLE_S: Final = 120
"""The leader's own connection is idle during long work, such as chaining a queue of days."""

_log = logging.getLogger(__name__)


class AuditKeeper:
    """Leads or stands by. `engine` is one without a bound on statements."""

    def __init__(
        self, engine: AsyncEngine, vault: Vault, clock: Clock, *, keep_months: int
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._heads = DecisionHeads(engine, vault)
        self._months = Months(engine, vault, keep_months)
        self._engine = engine
        self._months_at: datetime | None = None
        self._month_faults = FaultLog(_log, "keeping the months of decisions")

    def work(self) -> Work:
        """Return the work of one contender: lead or stand by."""
        lead = Lead(self._engine, Lock.AUDIT_KEEPER, begin=nullcontext, idle_s=LEADER_IDLE_S)
        return lead.work(
            "keeping the audit", every_s=CHAIN_INTERVAL_S, do=self._keep, stand_by_s=STAND_BY_S
        )

    async def _keep(self, connection: AsyncConnection) -> None:
        await extend_decisions(self._engine)
        await self._heads.enter(self._clock.now())
        await extend_journal(self._engine, self._vault)
        if self._months_at is None or self._clock.now() >= self._months_at:
            self._months_at = self._clock.now() + await self._keep_months()
        # Still the leader: a lost connection raises here.
        await connection.execute(text("SELECT 1"))

    async def _keep_months(self) -> timedelta:
        """Make and remove months; return the time until months are due again.

        The chain goes on if this fails: decisions stand in the rest meanwhile.
        """
        now = self._clock.now()
        try:
            for month in await self._months.prepare(now):
                _log.info("decisions of %s have a partition", month)
            for month in await self._months.remove_old(now):
                _log.info("decisions of %s were removed: their time is over", month)
        except Unavailable as error:
            self._month_faults.met(error)
            return MONTHS_PAUSE
        self._month_faults.passed()
        return MONTHS_INTERVAL
