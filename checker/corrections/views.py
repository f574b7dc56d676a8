"""Corrections as HTTP shows them: to the filer, to courts and to operators."""

from datetime import date
from typing import Any

import msgspec

from checker.corrections.correction import (
    Concerned,
    Correction,
    CorrectionState,
    GroundCode,
    Ruling,
    RulingEffect,
)
from checker.domain.clock import InstantText, instant_text
from checker.domain.deadlines import DueBasis


class CorrectionReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A correction that was received; `due_on` is the last day on which a ruling is in time.

    `calendar_roll`: all days count, and a last day off rolls to the next working day. `working`:
    only working days count. `provisional`: the State Council has not announced that year's days
    off. `due_basis` is null for corrections from before the calendar.
    """

    id: str
    received_on: date
    due_on: date
    due_basis: DueBasis | None
    provisional: bool


class CorrectionProgress(CorrectionReceived, frozen=True, kw_only=True):
    """The status of a correction; `ruling` and `ruled_at` are null until the court has ruled.

    `overdue`: the court's days have passed without a ruling.
    """

    status: CorrectionState
    ruling: Ruling | None
    ruled_at: InstantText | None


class CorrectionSummary(CorrectionProgress, frozen=True, kw_only=True):
    """A correction as courts and operators see it. `late`: received after the days for applying.

    `account_id` is null if the correction was filed without a key, `decision_id` is null if it was
    filed about a listing. `version` is the version of the list in which the ruling is in force.
    `effect` is null if the correction was not upheld.
    """

    late: bool
    account_id: str | None
    decision_id: str | None
    ground_code: GroundCode | None
    effect: RulingEffect | None
    listings: tuple[Concerned, ...]
    version: int | None


class CorrectionView(CorrectionSummary, frozen=True, kw_only=True):
    """A correction with the texts of the person and of the court."""

    ground: str
    contact: str
    note: str | None


class CorrectionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of corrections, oldest first. Send `next` as `after`; null means the last page."""

    corrections: tuple[CorrectionSummary, ...]
    next: int | None


def received_fields(found: Correction) -> dict[str, Any]:
    """Return the fields of `CorrectionReceived`."""
    return {
        "id": found.id,
        "received_on": found.received_on,
        "due_on": found.due_on,
        "due_basis": found.due_basis,
        "provisional": found.provisional,
    }


def progress_fields(found: Correction, today: date) -> dict[str, Any]:
    """Return the fields of `CorrectionProgress`, as they are on a day."""
    return {
        **received_fields(found),
        "status": found.status(today),
        "ruling": found.ruling,
        "ruled_at": None if found.ruled_at is None else instant_text(found.ruled_at),
    }


def summary_fields(found: Correction, today: date) -> dict[str, Any]:
    """Return the fields of `CorrectionSummary`, as they are on a day."""
    return {
        **progress_fields(found, today),
        "late": found.late,
        "account_id": found.account_id,
        "decision_id": found.decision_id,
        "ground_code": found.ground_code,
        "effect": found.effect,
        "listings": found.listings,
        "version": found.version,
    }
