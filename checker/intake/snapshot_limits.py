"""Decides whether a snapshot may replace the list, because a load that went wrong frees people.

| snapshot                                                  | refused, unless                      |
|-----------------------------------------------------------|--------------------------------------|
| every line was rejected                                   | always refused                       |
| no lines                                                  | `allow_empty`                        |
| below half of the list in force, which is not the demo's  | `allow_shrink`                       |
| more than a share of the lines was rejected               | `allow_rejected`                     |

The share is the setting `rejected_share_max`. A single rejected line is refused only by a share of
0: in a file of a few lines it is always a large share. A line that repeats an earlier line says
nothing new, so it does not count for the share.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from checker.errors import Conflict, Fault, InvalidRequest
from checker.intake.report import RejectedLine

SHRINKS_BELOW: Final = 0.5
"""A snapshot below this share of the list in force looks like a file that was cut."""

REJECTED_SHARE_MAX: Final = 0.1
"""The share without a setting. Beyond a tenth of the lines, a file is of another kind or broken."""

FAULTS_MAX: Final = 100
"""Rejected lines that a refusal names. Quarantine has more of them."""


class SnapshotConsent(msgspec.Struct, frozen=True, kw_only=True):
    """The consent of the sender of a snapshot: each flag allows one kind of loss."""

    allow_empty: bool = False
    allow_shrink: bool = False
    allow_rejected: bool = False


class SnapshotCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a snapshot: accepted, rejected, and rejected because they repeat a line."""

    accepted: int
    rejected: int
    repeated: int


def refuse_empty(
    counts: SnapshotCounts, consent: SnapshotConsent, rejected: Sequence[RejectedLine]
) -> None:
    """Raise InvalidRequest for a snapshot without a listing that must not replace the list."""
    if counts.accepted > 0:
        return
    if counts.rejected > 0:
        text = f"no line could be accepted, and {counts.rejected} were rejected"
        raise InvalidRequest(f"{text}; allow_empty=true is for no lines", _faults(rejected))
    if not consent.allow_empty:
        raise InvalidRequest("there is no line; allow_empty=true says it is meant")


def refuse_shrunk(counts: SnapshotCounts, consent: SnapshotConsent, listed: int) -> None:
    """Raise Conflict for a snapshot below half of the `listed` listings in force."""
    is_meant = consent.allow_shrink or counts.accepted == 0
    if is_meant or counts.accepted >= listed * SHRINKS_BELOW:
        return
    text = f"{counts.accepted} listings would replace {listed}"
    raise Conflict(f"{text}; allow_shrink=true says it is meant")


def refuse_rejected(
    counts: SnapshotCounts,
    consent: SnapshotConsent,
    rejected: Sequence[RejectedLine],
    share_max: float,
) -> None:
    """Raise InvalidRequest for a snapshot of which too many lines were rejected."""
    lost = counts.rejected - counts.repeated
    total = counts.accepted + lost
    if consent.allow_rejected or lost == 0 or lost / total <= share_max:
        return
    if lost == 1 and share_max > 0:
        return
    text = f"{lost} of {total} lines were rejected, and at most {share_max:.1%} may be"
    raise InvalidRequest(f"{text}; allow_rejected=true says it is meant", _faults(rejected))


def _faults(rejected: Sequence[RejectedLine]) -> list[Fault]:
    return [Fault(f"/{line.line}", f"{line.code}: {line.detail}") for line in rejected[:FAULTS_MAX]]
