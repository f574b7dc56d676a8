"""A reconciliation as it is told: how far it came, and what came of the lines."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

HEARTBEAT_S: Final = 10.0
"""How often a process says that it still works."""

SILENT_AFTER: Final = timedelta(seconds=60)
"""So long without a word, and the process has died."""


class ReconciliationStatus(StrEnum):
    """Where a reconciliation stands."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


class Interruption(StrEnum):
    """Why a reconciliation ended before its last line; the rest is sent as another one."""

    CUT_OFF = "cut-off"
    QUOTA_EXCEEDED = "quota-exceeded"
    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an account; `lines` is the number of the last line that was dealt with.

    `adverse` sales would not simply have been allowed; `rejected` lines could not be judged.
    `number` grows in the order in which they began.
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
        """Tell how it stands at an instant: who has been silent for long has stopped."""
        if self.status is ReconciliationStatus.RUNNING and self.touched_at + SILENT_AFTER < now:
            return msgspec.structs.replace(
                self, status=ReconciliationStatus.INTERRUPTED, reason=Interruption.STOPPED
            )
        return self


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a line: a decision with its reasons, or an error."""

    line: int
    reference: str | None
    sold_at: datetime | None
    service: str | None
    jurisdiction: str | None
    decision: str | None
    reasons: Any
    list_version: int | None
    error: Any
