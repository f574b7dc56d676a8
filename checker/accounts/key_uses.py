"""Notes the last use of each key in memory, and writes it to the database behind the answers.

A process writes the first use of a key within half a second, and later uses once a minute. So the
instant is right to about a minute, and a process that dies loses at most a minute. Operators find
forgotten keys by the last use; the service decides nothing by it.
"""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.schema import key_use
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.work import Work

FLUSH_INTERVAL_S = 0.5
PRECISION = timedelta(minutes=1)
KEYS_AT_ONCE = 10_000
"""asyncpg takes 32 767 parameters in a statement. The other keys go with the next statement."""


class KeyUses:
    """The uses of keys that one process has seen. `note` takes the number of a used key."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._used: set[int] = set()
        self._written: dict[int, datetime] = {}
        # The set's own method: every check notes a use.
        self.note = self._used.add

    @property
    def work(self) -> Work:
        """Write the uses that are due, again and again."""
        return Work(name="writing when keys were used", every_s=FLUSH_INTERVAL_S, do=self.flush)

    async def flush(self) -> None:
        """Write the uses that are due: one round of this work.

        Raises:
            Unavailable: PostgreSQL is away. The uses stay due.
        """
        now = self._clock.now()
        due = [pk for pk in self._used if self._is_due(pk, now)][:KEYS_AT_ONCE]
        if not due:
            return
        # Sorted, or two nodes could wait for each other's locks.
        rows = insert(key_use).values([{"key_pk": pk, "last_used_at": now} for pk in sorted(due)])
        latest = func.greatest(key_use.c.last_used_at, rows.excluded.last_used_at)
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(
                    rows.on_conflict_do_update(
                        index_elements=["key_pk"], set_={"last_used_at": latest}
                    )
                )
        self._used.difference_update(due)
        self._written.update(dict.fromkeys(due, now))

    def _is_due(self, key_pk: int, now: datetime) -> bool:
        written = self._written.get(key_pk)
        return written is None or now - written >= PRECISION
