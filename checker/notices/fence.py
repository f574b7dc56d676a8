"""Finds the steps after which no decision by an older list can be committed any more.

One transaction reads the newest change and keeps the decision. The first pass does a step at some
instant. When every transaction that began before this instant has ended, each later decision reads
the changes of the step. PostgreSQL's own clock and list of sessions show this. No process has to be
trusted, nor to be alive.
"""

from collections import deque
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.notices.writer import NoticePosition

PASSED_MAX: Final = 1_000
"""Positions kept while a long transaction goes on; a later position covers an older one."""

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
    """The positions of the first pass with their instants. A new process begins without any."""

    def __init__(self) -> None:
        self._passed: deque[tuple[datetime, NoticePosition]] = deque(maxlen=PASSED_MAX)

    async def put(self, connection: AsyncConnection, position: NoticePosition) -> None:
        """Add a position that the first pass has committed."""
        now: datetime = (await connection.execute(_NOW)).scalar_one()
        self._passed.append((now, position))

    async def reached(self, connection: AsyncConnection) -> NoticePosition | None:
        """Return the furthest position that no open transaction is older than; None: no new one."""
        if not self._passed:
            return None
        oldest: datetime = (await connection.execute(_OLDEST)).scalar_one()
        furthest = None
        while self._passed and self._passed[0][0] < oldest:
            _, furthest = self._passed.popleft()
        return furthest
