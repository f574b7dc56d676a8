"""A reconciliation as its owner sees it: its progress, and the results of its lines."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

HEARTBEAT_S: Final = 10.0
"""How often a working process notes that it still works."""

SILENT_AFTER: Final = timedelta(seconds=60)
"""A process that has noted nothing for so long has died."""


class ReconciliationStatus(StrEnum):
    """Where a reconciliation stands."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


class Interruption(StrEnum):
    """Why a reconciliation ended before its last line. The owner sends the rest as a new one."""

    CUT_OFF = "cut-off"
    QUOTA_EXCEEDED = "quota-exceeded"
    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an account. `lines` is the number of the last line that was judged.

    `adverse` sales would not have been a plain `allow`. `rejected` lines could not be judged.
    `number` grows in the order in which reconciliations began.
    """

    number: int
    id: str
    status: ReconciliationStatus
    reason: Interruption | None
    created_at: datetime
    touched_at: datetime
    ended_at: datetime | None
    lines: int
    adverse: int
    rejected: int

    def at(self, now: datetime) -> "Reconciliation":
        """Return the reconciliation as it stands at an instant: silent for long, it was
        interrupted.
        """
        if self.status is ReconciliationStatus.RUNNING and self.touched_at + SILENT_AFTER < now:
            return msgspec.structs.replace(
                self, status=ReconciliationStatus.INTERRUPTED, reason=Interruption.STOPPED
            )
        return self


class ReconciliationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one line: a decision with its reasons, or an error."""

    line: int
    reference: str | None
    sold_at: datetime | None
    service: str | None
    jurisdiction: str | None
    decision: str | None
    reasons: Any
    list_version: int | None
    error: Any
