"""The corrections of a deployment: filed, looked at, and ruled on.

What is upheld ends its listings in the transaction of the ruling, as a numbered change like any
other: outlines, outbox and barrier are those of the feed (`checker.intake.changes`).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.corrections import rows
from checker.corrections.correction import (
    Correction,
    CorrectionState,
    Ruling,
    delisted_by,
    require_move,
)
from checker.corrections.intake import CountFiling, Filing, Intake, Limits
from checker.corrections.journaled import CONTACT, GROUND, NOTE
from checker.database.engine import attempt, driver_errors
from checker.domain.clock import Clock, shanghai_day
from checker.errors import Conflict, NotFound
from checker.intake.changes import ChangesFeed
from checker.registry.operations import Delist, DelistingGround
from checker.registry.sealing import Sealer
from checker.registry.versions import ListVersion, version_numbered


async def _uncounted(_sender: str, _about: str) -> None:
    """Count nothing: senders are counted where corrections come from a network."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What was written about a correction, for those who rule on it."""

    ground: str
    contact: str
    note: str | None


class OpenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many corrections wait for a ruling, and how many of them for too long."""

    waiting: int
    overdue: int


class Corrections:
    """The corrections of one deployment.

    `in_force` waits until no node can answer from before a version. `count` counts new filings by
    their sender.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        clock: Clock,
        changes: ChangesFeed,
        in_force: Callable[[ListVersion], Awaitable[None]],
        limits: Limits = Limits(),  # noqa: B008 - frozen
        count: CountFiling = _uncounted,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._clock = clock
        self._changes = changes
        self._in_force = in_force
        self._intake = Intake(engine=engine, sealer=sealer, clock=clock, limits=limits, count=count)

    async def file(self, filing: Filing) -> Correction:
        """Take a correction in; see `Intake.take`, and what it raises."""
        return await self._intake.take(filing)

    async def rule(
        self,
        correction_id: str,
        ruling: Ruling,
        *,
        ruled_by: str,
        note: str | None = None,
        listing_ids: Sequence[str] | None = None,
    ) -> Correction:
        """Rule on a correction. Upheld, it ends its listings, or those that are named, in the same
        transaction; when this returns, no node refuses anybody by them.

        Raises, the first of:
            NotFound: there is no correction of this id.
            Conflict: there is a ruling already; it is in force.
            InvalidRequest: `listing_ids` are not as they must be.
            Unavailable: the registry cannot be reached; say it again, and a Conflict tells what
                became of it.
        """
        found = await self.find(correction_id)
        try:
            require_move(found, ruling)
            delisted = delisted_by(found, listing_ids) if ruling is Ruling.UPHELD else ()
            await self._write(found, ruling, ruled_by, note, delisted)
        except Conflict:
            # Who rules again may be a court whose answer was lost before it was in force.
            await self._wait_for_ruling(await self.find(found.id))
            raise
        return await self.find(found.id)

    async def _wait_for_ruling(self, ruled: Correction) -> None:
        """Wait until the change that a ruling made, if it made one, is in force."""
        if ruled.version is None:
            return
        with driver_errors():
            async with self._engine.connect() as connection:
                change = await version_numbered(connection, ruled.version)
        if change is not None:
            await self._in_force(change)

    async def _write(
        self,
        found: Correction,
        ruling: Ruling,
        ruled_by: str,
        note: str | None,
        delisted: Sequence[str],
    ) -> None:
        now = self._clock.now()
        row: dict[str, Any] = {
            "ruling": ruling,
            "ruled_at": now,
            "ruled_by": ruled_by,
            "note": None if note is None else self._sealer.vault.seal(note, NOTE, found.id),
        }

        async def ride(connection: AsyncConnection, version: int | None) -> None:
            wanted = row | {"version": version}
            vault = self._sealer.vault
            if not await rows.write_ruling(connection, vault, found.number, wanted, delisted):
                raced = await rows.find(connection, found.id)
                assert raced is not None, "a correction is never removed"
                require_move(raced, ruling)

        if delisted:
            on = shanghai_day(now)
            ground = DelistingGround.CORRECTED
            ends = [Delist(listing_id=each, ground=ground, on=on) for each in delisted]
            await self._changes.apply_with(ends, ride)
        else:
            with driver_errors():
                async with self._engine.begin() as connection:
                    await ride(connection, None)

    async def find(self, correction_id: str) -> Correction:
        """Find a correction. Raises NotFound, and Unavailable."""

        async def read(connection: AsyncConnection) -> Correction | None:
            return await rows.find(connection, correction_id)

        with driver_errors():
            found = await attempt(self._engine, read)
        if found is None:
            raise NotFound("there is no correction of this id")
        return found

    async def words(self, correction: Correction) -> Words:
        """Open what was written about it, for whoever rules on it. Raises Unavailable."""

        async def read(connection: AsyncConnection) -> tuple[bytes, bytes, bytes | None]:
            return await rows.read_words(connection, correction.id)

        with driver_errors():
            ground, contact, note = await attempt(self._engine, read)
        opened = self._sealer.vault.open
        return Words(
            ground=opened(ground, GROUND, correction.id),
            contact=opened(contact, CONTACT, correction.id),
            note=None if note is None else opened(note, NOTE, correction.id),
        )

    async def page(
        self, status: CorrectionState | None, after: int, limit: int
    ) -> tuple[Correction, ...]:
        """Give up to `limit` corrections, oldest first, from the number `after` on.

        Raises Unavailable.
        """

        async def read(connection: AsyncConnection) -> tuple[Correction, ...]:
            return await rows.read_page(connection, (status, self.today), after, limit)

        with driver_errors():
            return await attempt(self._engine, read)

    async def count(self) -> OpenCounts:
        """Count those that wait for a ruling. Raises Unavailable."""

        async def read(connection: AsyncConnection) -> tuple[int, int]:
            return await rows.count_open(connection, self.today)

        with driver_errors():
            waiting, overdue = await attempt(self._engine, read)
        return OpenCounts(waiting=waiting, overdue=overdue)

    @property
    def today(self) -> date:
        """The day by which what is overdue is told."""
        return shanghai_day(self._clock.now())

    async def aclose(self) -> None:
        """Stop; what is not taken in yet never is."""
        await self._intake.aclose()
