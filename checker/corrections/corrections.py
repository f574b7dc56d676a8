"""The corrections of a deployment: filed, listed, and ruled on.

The transaction of an upheld ruling ends the listings, as a numbered change like any other:
outlines, outbox and barrier are those of the feed (`checker.intake.changes`).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.held_up import open_traces
from checker.corrections import rows
from checker.corrections.correction import (
    EFFECTS,
    UNKNOWN,
    Correction,
    CorrectionState,
    Ruling,
    RulingEffect,
    concerned_by,
    is_about,
    require_move,
    require_own,
)
from checker.corrections.effects import operations_of
from checker.corrections.intake import CorrectionIntake, CountFiling, Filing, Limits
from checker.corrections.journaled import CONTACT, GROUND, NOTE
from checker.corrections.of_courts import of_courts
from checker.database.engine import attempt, driver_errors
from checker.domain.clock import Clock, shanghai_day
from checker.domain.court import Courts
from checker.domain.deadlines import Deadlines
from checker.errors import Conflict, NotFound
from checker.intake.changes import ChangesFeed
from checker.registry.found_document import Trace
from checker.registry.operations import Operation
from checker.registry.sealing import Sealer
from checker.registry.versions import ListVersion, version_numbered


async def _uncounted(_sender: str, _about: str) -> None:
    """Count nothing: only corrections from a network have a sender to count."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a correction, for the court that rules on it."""

    ground: str
    contact: str
    note: str | None


class OpenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The number of corrections that wait for a ruling, and how many of them are overdue."""

    waiting: int
    overdue: int


class Corrections:
    """The corrections of one deployment.

    `in_force` waits until no node can answer from a state before a version. `count` counts new
    filings by their sender.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        clock: Clock,
        deadlines: Deadlines,
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
        self._intake = CorrectionIntake(
            engine=engine,
            sealer=sealer,
            clock=clock,
            deadlines=deadlines,
            limits=limits,
            count=count,
        )

    async def file(self, filing: Filing) -> Correction:
        """File a correction and return it. Raises the errors of `CorrectionIntake.take`."""
        return await self._intake.take(filing)

    async def rule(
        self,
        correction_id: str,
        ruling: Ruling,
        *,
        ruled_by: str,
        note: str | None = None,
        listing_ids: Sequence[str] | None = None,
        courts: Courts | None = None,
        effect: RulingEffect | None = None,
    ) -> Correction:
        """Rule on a correction for `courts`, or for any court if None, and return it.

        An upheld ruling changes the correction's listings, or those that are named, in the same
        transaction. `effect` None: the effect of the correction's ground. When this returns, no
        node refuses the person because of these listings.

        Raises, the first of:
            NotFound: there is no correction of this id, or none about a listing of `courts`.
            Conflict: there is a ruling already; it is in force. Or no officer can be removed.
            InvalidRequest: `listing_ids` does not fit the correction, or the effect needs the
                document of a decision, and it is not known.
            OutOfScope: the ruling is about a listing of another court.
            Unavailable: the registry cannot be reached. Send the ruling again; a Conflict then
                names the ruling that was made.
        """
        found = await self.find(correction_id, courts)
        try:
            require_move(found, ruling)
            effect = effect or EFFECTS[found.ground_code]
            upheld = ruling is Ruling.UPHELD
            listings = concerned_by(found, listing_ids) if upheld else ()
            if courts is not None:
                require_own(found, listings, courts)
            effected = effect if upheld else None
            await self._write(found, (ruling, effected), ruled_by, note, listings)
        except Conflict:
            # A court may rule again because its answer was lost before the ruling was in force.
            await self._wait_for_ruling(await self.find(found.id))
            raise
        return await self.find(found.id)

    async def _wait_for_ruling(self, ruled: Correction) -> None:
        """Wait until the change of a ruling is in force, if the ruling made a change."""
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
        ruled: tuple[Ruling, RulingEffect | None],
        ruled_by: str,
        note: str | None,
        listing_ids: Sequence[str],
    ) -> None:
        now = self._clock.now()
        ruling, effect = ruled
        delisted = listing_ids if effect is RulingEffect.DELIST else ()
        row: dict[str, Any] = {
            "ruling": ruling,
            "effect": effect,
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

        operations: Sequence[Operation] = ()
        if effect is not None:
            traces = await self._traces(found)
            operations = operations_of(effect, found, listing_ids, traces, shanghai_day(now))
        if operations:
            await self._changes.apply_with(operations, ride)
        else:
            with driver_errors():
                async with self._engine.begin() as connection:
                    await ride(connection, None)

    async def _traces(self, found: Correction) -> Sequence[Trace]:
        """Return the ways that the decision of a correction kept; none without a decision."""
        decision_id = found.decision_id
        if decision_id is None:
            return ()
        with driver_errors():
            async with self._engine.connect() as connection:
                sealed = await rows.sealed_subject(connection, decision_id)
        return open_traces(self._sealer.vault, decision_id, sealed)

    async def find(self, correction_id: str, courts: Courts | None = None) -> Correction:
        """Return a correction. Raises NotFound and Unavailable.

        With `courts` a correction about other courts' listings alone is not found.
        """

        async def read(connection: AsyncConnection) -> Correction | None:
            return await rows.find(connection, correction_id)

        with driver_errors():
            found = await attempt(self._engine, read)
        if found is None or (courts is not None and not is_about(found, courts)):
            raise NotFound(UNKNOWN)
        return found

    async def words(self, correction: Correction) -> Words:
        """Return the opened texts of a correction, for the court that rules on it. Raises
        Unavailable.
        """

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
        self, status: CorrectionState | None, after: int, limit: int, courts: Courts | None = None
    ) -> tuple[Correction, ...]:
        """Return up to `limit` corrections behind the number `after`, oldest first.

        With `courts` only those about a listing of one of these courts. Raises Unavailable.
        """

        async def read(connection: AsyncConnection) -> tuple[Correction, ...]:
            own = true() if courts is None else await of_courts(connection, courts)
            return await rows.read_page(connection, (status, self.today, own), after, limit)

        with driver_errors():
            return await attempt(self._engine, read)

    async def count(self) -> OpenCounts:
        """Return the number of open and of overdue corrections. Raises Unavailable."""

        async def read(connection: AsyncConnection) -> tuple[int, int]:
            return await rows.count_open(connection, self.today)

        with driver_errors():
            waiting, overdue = await attempt(self._engine, read)
        return OpenCounts(waiting=waiting, overdue=overdue)

    @property
    def today(self) -> date:
        """The day by which a correction is overdue or not."""
        return shanghai_day(self._clock.now())

    async def aclose(self) -> None:
        """Stop. Filings that still wait are never taken in."""
        await self._intake.aclose()
