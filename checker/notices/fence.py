"""Tells when nobody is left who may still keep a decision by a list of before.

A decision reads the list and is kept in one transaction. Once every transaction of the database has
ended that had begun when a change was told of, whoever keeps one now has read that change.
PostgreSQL's own clock and list of sessions say so; no process has to be trusted, nor to be alive.
"""

from collections import deque
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.notices.writer import NoticePosition

PASSED_MAX: Final = 1_000
"""Positions remembered while a transaction goes on and on; the oldest are covered by later ones."""

_NOW: Final = text("SELECT clock_timestamp()")

# One role per deployment: the sessions of another show no instant, and keep no decisions.
_OLDEST: Final = text(
    """
SELECT coalesce(min(xact_start), clock_timestamp()) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
AND pid <> pg_backend_pid()
"""
)


class Fence:
    """Remembers when the first pass was where; of a process, so after a start it begins anew."""

    def __init__(self) -> None:
        self._passed: deque[tuple[datetime, NoticePosition]] = deque(maxlen=PASSED_MAX)

    async def put(self, connection: AsyncConnection, position: NoticePosition) -> None:
        """Note that the first pass has come to a position, and committed it."""
        now: datetime = (await connection.execute(_NOW)).scalar_one()
        self._passed.append((now, position))

    async def reached(self, connection: AsyncConnection) -> NoticePosition | None:
        """Give the furthest position before which nobody is left; None: no further one."""
        if not self._passed:
            return None
        oldest: datetime = (await connection.execute(_OLDEST)).scalar_one()
        furthest = None
        while self._passed and self._passed[0][0] < oldest:
            _, furthest = self._passed.popleft()
        return furthest
