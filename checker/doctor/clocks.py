"""Compares the clock of a store with the clock of this machine."""

from datetime import datetime
from typing import Final

from checker.doctor.finding import Finding

AHEAD_S_MAX: Final = 1.0
"""Beyond this, instants in answers and in the record disagree visibly."""

WRONG_S_MIN: Final = 60.0
"""Beyond this, a clock is not drifting, it is wrong: a day may begin a minute too early."""


def ahead_s(before: datetime, store: datetime, after: datetime) -> float:
    """Return by how many seconds the store's clock is ahead, for a question between two instants.

    A store that answered within the question is exact to half the time of the question. Within
    that time the answer is 0.
    """
    half_s = (after - before).total_seconds() / 2
    difference_s = (store - before).total_seconds() - half_s
    return 0.0 if abs(difference_s) <= half_s else difference_s


def clock_finding(store: str, ahead: float) -> Finding:
    """Return the finding about the clock of a store."""
    name = f"{store} clock"
    if abs(ahead) <= AHEAD_S_MAX:
        return Finding.ok(name, "agrees with the clock of this machine")
    text = (
        f"is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the clock of this machine"
    )
    mend = "run an NTP client (chrony) on both machines"
    if abs(ahead) < WRONG_S_MIN:
        return Finding.warning(name, text, mend)
    return Finding.fault(name, text, mend)
