"""The page `docs/reliability.md`, which a long run of the suite writes."""

import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.faults.fault_table import FAULTS, FaultRow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True)
class Result:
    """The observation of one fault."""

    row: FaultRow
    wrong: list[str]
    lost: list[str]
    share: float
    slowest_s: float
    recovery_s: float
    growth_bytes: int
    answers: int
    unanswered: int
    acknowledged: int
    reasons: str

    @property
    def shortfall_in_time(self) -> str:
        """Return which bound of time or share was missed, or nothing."""
        found = []
        if self.share < self.row.share_min:
            found.append(f"fewer than {self.row.share_min:.0%} of innocents answered in time")
        if self.recovery_s > self.row.recovery_s_max:
            found.append(f"not whole within {self.row.recovery_s_max:.0f} s")
        if self.row.is_lossless and self.reasons != "{}":
            found.append(f"requests unanswered: {self.reasons}")
        return ", ".join(found)

    @property
    def shortfall(self) -> str:
        """Return what this fault falls short of, or nothing."""
        found = ["wrong answers"] if self.wrong else []
        found += ["lost writes"] if self.lost else []
        return ", ".join(filter(None, [*found, self.shortfall_in_time, self.row.note]))

    def __str__(self) -> str:
        return (
            f"{self.row.name}: {len(self.wrong)} wrong, {len(self.lost)} lost, "
            f"{self.share:.2%} of innocents (slowest {self.slowest_s:.2f} s), "
            f"whole after {self.recovery_s:.1f} s, {self.growth_bytes >> 20} MB more, "
            f"{self.answers} answers, {self.unanswered} unanswered, {self.acknowledged} kept; "
            f"{self.reasons}"
        )


_HEAD = """# Reliability

Each fault befalls two nodes under a mixed load: checks of innocent, listed, named and masked
subjects, batches, holds and captures, changes of the list, and outcomes. A judge compares every
answer with a model of the list, and every acknowledged write with PostgreSQL (`tests/faults`).

`make faults` writes this page. The short form of the same table is part of `make test`.

| fault | wrong answers | lost writes | innocents answered in 1 s | whole again after | answers |
|---|---|---|---|---|---|
"""

_FOOT = """
- "Wrong" is an answer that was true at no instant of its call, or a problem other than 503.
- "Lost" is an acknowledged change, decision, outcome, hold, capture or notice that is not in
  PostgreSQL afterwards. After a restore to an older state the later writes are lost by definition:
  the service names them (`lost_changes` of `/v1/list`), and the courts send them again.
- The share of innocents counts from the beginning of the fault until the nodes are whole again. A
  check that takes longer than a second counts as unanswered.
- "Whole again" counts from the mending of the fault: both nodes are `ready`, and every caller is
  answered.
"""


def write_page(results: list[Result], *, seconds: float) -> None:
    """Write the page: the table, the bounds that were missed, and how it was measured.

    A run of some faults leaves the rows of the others as they are.
    """
    rows = _kept("| ") | {
        each.row.name: f"| {each.row.name} | {len(each.wrong)} | {len(each.lost)} | "
        f"{each.share:.2%} | {each.recovery_s:.1f} s | {each.answers} |"
        for each in results
    }
    short = _kept("- ") | {
        each.row.name: f"- {each.row.name}: {each.shortfall}." if each.shortfall else ""
        for each in results
    }
    order = [row.name for row in FAULTS]
    missed = "\n".join(filter(None, (short.get(name) for name in order))) or "- Nothing."
    PAGE.write_text(
        _HEAD
        + "\n".join(filter(None, (rows.get(name) for name in order)))
        + "\n"
        + _FOOT
        + f"\n## What falls short\n\n{missed}\n\n## The run\n\n{_how(results, seconds)}\n",
        encoding="utf-8",
    )


def _kept(mark: str) -> dict[str, str]:
    """Return the lines of the page that begin with the mark and the name of a fault."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    ends = (" |", ":")
    return {
        row.name: line
        for row in FAULTS
        for line in lines
        if line.startswith(tuple(f"{mark}{row.name}{end}" for end in ends))
    }


def _how(results: list[Result], seconds: float) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    growth = max(each.growth_bytes for each in results) >> 20
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {platform.machine()} with "
        f"{psutil.cpu_count()} shared processors and {psutil.virtual_memory().total >> 30} GB, "
        f"{seconds:.0f} s for each fault ({len(results)} faults in the newest run; a run of some "
        f"faults leaves the other rows). No process grew by more than {growth} MB in one fault."
    )
