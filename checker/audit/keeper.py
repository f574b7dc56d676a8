"""Keeps the audit in order: makes the links of both chains, makes months, removes old months.

One process of a deployment keeps the audit, and another takes over when it ends. Nothing waits for
the keeper: without one, decisions queue for the chain and stand in the rest.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.chain import extend_decisions
from checker.audit.journaled import DecisionHeads
from checker.audit.months import Months
from checker.database.engine import driver_errors
from checker.database.leadership import leadership
from checker.database.locks import Lock
from checker.domain.clock import Clock
from checker.errors import Unavailable
from checker.fault_log import FaultLog
from checker.journal.chain import extend_journal
from checker.vault import Vault

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
        self._engine = engine
        self._clock = clock
        self._vault = vault
        self._heads = DecisionHeads(engine, vault)
        self._months = Months(engine, vault, keep_months)
        self._month_faults = FaultLog(_log, "keeping the months of decisions")

    async def run(self) -> None:
        """Keep the audit until cancelled. Failed work is tried again."""
        faults = FaultLog(_log, "keeping the audit")
        while True:
            try:
                with driver_errors():
                    async with leadership(
                        self._engine, Lock.AUDIT_KEEPER, idle_s=LEADER_IDLE_S
                    ) as connection:
                        if connection is not None:
                            await self._lead(connection, faults)
            except Exception as error:
                faults.met(error)
            await asyncio.sleep(STAND_BY_S)

    async def _lead(self, connection: AsyncConnection, faults: FaultLog) -> None:
        months_at = self._clock.now()
        while True:
            await extend_decisions(self._engine)
            await self._heads.enter(self._clock.now())
            await extend_journal(self._engine, self._vault)
            if self._clock.now() >= months_at:
                months_at = self._clock.now() + await self._keep_months()
            faults.passed()
            # Proves that this process is still the leader: a lost connection raises here.
            await connection.execute(text("SELECT 1"))
            await asyncio.sleep(CHAIN_INTERVAL_S)

    async def _keep_months(self) -> timedelta:
        """Make and remove months. Return the time to wait until the next time.

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
