"""The outcomes that institutions report after a decision (contract, section 2).

A second, different outcome is appended and the first stays. The same outcome again, as a retry
sends it, returns the first report.

An outcome may give back the use of a counted permit, in the same transaction
(`checker.audit.permit_returns`).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.permit_returns import UseEffect, settle_use
from checker.audit.schema import NOTE_PLACE, decision, reported_outcome
from checker.database.engine import attempt, driver_errors
from checker.errors import Conflict, NotFound
from checker.vault import Vault

UNKNOWN = "no decision of yours has this id; a plain allow is not kept"
REPORTS_MAX = 20
"""Outcomes of one decision. A sender with more changes of one sale has a fault."""


class ReportedOutcome(StrEnum):
    """The act of an institution after a decision."""

    REFUSED = "refused"
    SOLD = "sold"
    CANCELLED = "cancelled"
    OVERRIDDEN = "overridden"


EFFECTS: Final = {
    ReportedOutcome.REFUSED: UseEffect.GIVE_BACK,
    ReportedOutcome.SOLD: UseEffect.TAKE,
    ReportedOutcome.CANCELLED: UseEffect.GIVE_BACK,
    ReportedOutcome.OVERRIDDEN: UseEffect.NONE,
}
"""The effect of each outcome on the use of a counted permit."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome as it was reported. `note` has the clerk's words."""

    outcome: ReportedOutcome
    note: str | None
    at: datetime


class Outcomes:
    """Keeps the reports of outcomes."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    async def report(self, account_id: str, decision_id: str, report: Report) -> Report:
        """Append an outcome to a decision of the account, and return the kept report.

        Raises:
            NotFound: the account has no such decision.
            Conflict: too many outcomes were reported already.
            Unavailable: PostgreSQL is away.
        """
        wanted = canonical_id(decision_id)

        async def work(connection: AsyncConnection) -> Report:
            # One report at a time on a decision, so that two equal ones at once are one.
            await connection.execute(select(func.pg_advisory_xact_lock(_lock_of(wanted))))
            found = select(decision.c.at).where(
                decision.c.id == wanted, decision.c.account_id == account_id
            )
            decided_at = (await connection.execute(found)).scalar_one_or_none()
            if decided_at is None:
                raise NotFound(UNKNOWN)
            before = await read_reports(connection, self._vault, wanted)
            if before and _said(before[-1]) == _said(report):
                return before[-1]
            if len(before) >= REPORTS_MAX:
                raise Conflict(f"{REPORTS_MAX} outcomes of this decision were reported already")
            row = {
                "decision_id": wanted,
                "decision_at": decided_at,
                "at": report.at,
                "outcome": report.outcome,
                "note": None
                if report.note is None
                else self._vault.seal(report.note, NOTE_PLACE, wanted),
            }
            await connection.execute(insert(reported_outcome).values(row))
            await settle_use(connection, self._vault, wanted, EFFECTS[report.outcome], report.at)
            await connection.commit()
            return report

        with driver_errors():
            return await attempt(self._engine, work)


async def read_reports(
    connection: AsyncConnection, vault: Vault, decision_id: str
) -> Sequence[Report]:
    """Return the reports on a decision, the first report first."""
    of_one = (
        select(reported_outcome)
        .where(reported_outcome.c.decision_id == decision_id)
        .order_by(reported_outcome.c.pk)
    )
    return [
        Report(
            outcome=ReportedOutcome(row.outcome),
            note=None if row.note is None else vault.open(row.note, NOTE_PLACE, row.decision_id),
            at=row.at,
        )
        for row in await connection.execute(of_one)
    ]


def canonical_id(decision_id: str) -> str:
    """Return an id as the record writes it. Raises NotFound: the id is no UUID."""
    try:
        return str(UUID(decision_id))
    except ValueError:
        raise NotFound(UNKNOWN) from None


def _said(report: Report) -> tuple[str, str | None]:
    return report.outcome, report.note


def _lock_of(decision_id: str) -> int:
    """Return the number of a decision's lock: its random half, as PostgreSQL's bigint."""
    return int.from_bytes(UUID(decision_id).bytes[8:], "big", signed=True)
