"""Removes the personal data whose time is over: the upkeep of `[retention]`.

Each step is one transaction of bounded size, and one process of the deployment does a step. A step
that fails is done again. The order of the steps does not matter.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.corrections.removal import remove_corrections
from checker.database.engine import driver_errors
from checker.database.locks import Lock
from checker.domain.clock import Clock
from checker.domain.retention import RetentionSettings
from checker.registry.purge import purge_listings, purge_permits
from checker.retention.lines import remove_lines
from checker.vault import Vault
from checker.work import Work

LOOK_INTERVAL_S: Final = 3_600.0

_log = logging.getLogger(__name__)

_Step = Callable[[AsyncConnection], Awaitable[int]]


class RetentionKeeper:
    """Keeps the terms of a deployment. `engine` is one without a bound on statements."""

    def __init__(
        self, engine: AsyncEngine, vault: Vault, clock: Clock, settings: RetentionSettings
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._settings = settings

    @property
    def work(self) -> Work:
        """Remove what is over, again and again."""
        return Work(name="keeping the terms of retention", every_s=LOOK_INTERVAL_S, do=self._round)

    async def _round(self) -> None:
        await self.remove_all()

    async def remove_all(self) -> dict[str, int]:
        """Remove all that is over now, and return the number of rows of each kind.

        A kind that another process is removing is left to that process.

        Raises:
            Unavailable: PostgreSQL cannot be reached. Finished steps stand.
        """
        removed = {}
        for kind, step in self._steps(self._clock.now()).items():
            count = 0
            while rows := await self._do(step):
                count += rows
            if count:
                _log.info("%s whose time is over were removed: %d", kind, count)
            removed[kind] = count
        return removed

    async def _do(self, step: _Step) -> int:
        with driver_errors():
            async with self._engine.begin() as connection:
                lock = {"number": int(Lock.RETENTION)}
                if not (await connection.execute(_TRY_LOCK, lock)).scalar_one():
                    return 0
                return await step(connection)

    def _steps(self, now: datetime) -> dict[str, _Step]:
        settings, vault = self._settings, self._vault

        def ago(days: int) -> datetime:
            return now - timedelta(days=days)

        return {
            "listings": lambda connection: purge_listings(
                connection, vault, before=ago(settings.listing_days), now=now
            ),
            "permits": lambda connection: purge_permits(
                connection, vault, before=ago(settings.permit_days), now=now
            ),
            "corrections": lambda connection: remove_corrections(
                connection, vault, before=ago(settings.correction_days)
            ),
            "rejected lines": lambda connection: remove_lines(
                connection,
                corrected_before=ago(settings.corrected_line_days),
                before=ago(settings.rejected_line_days),
            ),
        }


_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:number)")
