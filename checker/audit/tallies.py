"""Counts the checks of each account by day, type of service and outcome; of whom, nothing.

Reports need how many checks there were, and a plain `allow` leaves no row to count. Each process
counts in memory and adds what it has to PostgreSQL every few seconds and when it ends. What a
killed process had not added yet is lost: these counts are for reports, nobody is billed by them.
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


class Tally(NamedTuple):
    """What is counted together."""

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

    def count(self, account_id: str, service: ServiceType, outcome: Outcome) -> None:
        """Count an answer given to an account."""
        self._counts[account_id, service, outcome] += 1

    @property
    def work(self) -> Work:
        """Add the counts to the record, again and again, and once more at the end."""
        return Work(name="counting checks", every_s=ADD_INTERVAL_S, do=self.add, at_end=self.add)

    async def add(self) -> None:
        """Add what was counted since the last time to the record.

        Raises:
            Unavailable: PostgreSQL is away; then it is kept for the next time.
        """
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        day = shanghai_day(self._clock.now())
        # In one order everywhere, so that two processes never wait for each other's rows.
        rows = [
            {**Tally(day, *counted)._asdict(), "checks": checks}
            for counted, checks in sorted(counts.items())
        ]
        fresh = insert(check_tally)
        grown = fresh.on_conflict_do_update(
            index_elements=Tally._fields,
            set_={"checks": check_tally.c.checks + fresh.excluded.checks},
        )
        try:
            with driver_errors():
                async with self._engine.begin() as connection:
                    await connection.execute(grown, rows)
        except BaseException:
            self._counts.update(counts)
            raise
