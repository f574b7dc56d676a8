"""Counts the checks of each account by day, type of service and outcome, without the subjects.

Reports need the number of checks, and a plain `allow` leaves no row to count. Each process counts
in memory and adds its counts to PostgreSQL every few seconds and when it ends. A killed process
loses the counts that it had not added. The counts are for reports; nobody is billed by them.
"""

from collections import Counter
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.audit.schema import check_tally
from checker.database.engine import driver_errors
from checker.domain.clock import Clock, shanghai_day
from checker.domain.decision import Outcome
from checker.domain.service import ServiceType
from checker.work import Work

ADD_INTERVAL_S: Final = 5.0


class CheckTally(NamedTuple):
    """The key of one count."""

    day: date
    account_id: str
    service: ServiceType
    outcome: Outcome


class Tallies:
    """The counts of one process."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._counts: Counter[tuple[str, ServiceType, Outcome]] = Counter()

    def count(
        self, account_id: str, service: ServiceType, outcome: Outcome, checks: int = 1
    ) -> None:
        """Count the answers to some checks of an account."""
        self._counts[account_id, service, outcome] += checks

    @property
    def work(self) -> Work:
        """Add the counts to the record, again and again, and once more at the end."""
        return Work(name="counting checks", every_s=ADD_INTERVAL_S, do=self.add, at_end=self.add)

    async def add(self) -> None:
        """Add the counts since the last time to the record.

        Raises:
            Unavailable: PostgreSQL is away. The counts are kept for the next time.
        """
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        day = shanghai_day(self._clock.now())
        # All processes use one order, so that two never wait for each other's rows.
        rows = [
            {**CheckTally(day, *counted)._asdict(), "checks": checks}
            for counted, checks in sorted(counts.items())
        ]
        fresh = insert(check_tally)
        grown = fresh.on_conflict_do_update(
            index_elements=CheckTally._fields,
            set_={"checks": check_tally.c.checks + fresh.excluded.checks},
        )
        try:
            with driver_errors():
                async with self._engine.begin() as connection:
                    await connection.execute(grown, rows)
        except BaseException:
            self._counts.update(counts)
            raise
