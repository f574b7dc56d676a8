"""Everything that the callers of one run saw, and what of it was wrong, late or lost."""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

LATE_S = 1.0
"""An answer about an innocent that takes longer counts as none."""


@dataclass
class Observation:
    """One run. Instants are those of `time.monotonic`."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    decisions: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)
    """Of each kept decision when it was answered, and the listings in its reasons."""

    outcomes: dict[str, float] = field(default_factory=dict)
    """When an outcome of a decision was acknowledged."""

    reasons: Counter[str] = field(default_factory=Counter)
    """Why no answer came, or none in time, by caller."""

    batches: int = 0
    """So many were sent."""

    changes: int = 0
    """So many were acknowledged."""

    slowest_s: float = 0.0
    unanswered_at: float = 0.0

    def met(self, caller: str, sent_at: float, *, is_answered: bool) -> None:
        """Note that a caller asked, and whether an answer came in time."""
        waited_s = monotonic() - sent_at
        self.asked[caller] += 1
        if is_answered:
            self.answered[caller] += 1
        else:
            self.unanswered_at = monotonic()
        if caller == "innocent":
            self.slowest_s = max(self.slowest_s, waited_s)

    def begin(self) -> None:
        """Count the asked and the answered from now on."""
        self.asked.clear()
        self.answered.clear()
        self.reasons.clear()
        self.slowest_s = 0.0

    def forget_between(self, begun_at: float, ended_at: float) -> None:
        """Forget what was kept in this time: the database was set back, as the service reports."""
        self.decisions = {
            each: kept
            for each, kept in self.decisions.items()
            if not begun_at <= kept[0] <= ended_at
        }
        self.outcomes = {
            each: at for each, at in self.outcomes.items() if not begun_at <= at <= ended_at
        }

    @property
    def share(self) -> float:
        """The share of checks of innocents that were answered in time."""
        return self.answered["innocent"] / max(self.asked["innocent"], 1)
