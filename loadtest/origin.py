"""The machine, the commit and the instant of a figure. A figure without them is worthless."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

import msgspec

WRITTEN_BY_BENCHMARKS = ("loadtest/reports", "docs/performance.md", "docs/performance.svg")
_CPU_FACTS = Path("/proc/cpuinfo")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, the commit and the instant of a figure."""

    cpu: str
    cores: int
    kernel: str
    python: str
    commit: str
    measured_at: datetime

    def text(self) -> str:
        """Return machine, commit and instant as a line."""
        return (
            f"{self.cpu}, {self.cores} cores, Linux {self.kernel}, Python {self.python}, "
            f"commit {self.commit}, {self.measured_at:%Y-%m-%dT%H:%M:%SZ}"
        )

    @classmethod
    def here(cls, now: datetime) -> "Origin":
        """Describe this machine and checkout; an unknown field reads `unknown`."""
        facts = _CPU_FACTS.read_text() if _CPU_FACTS.exists() else ""
        return cls(
            cpu=cpu_model(facts),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release(),
            python=platform.python_version(),
            commit=_commit(),
            measured_at=now.astimezone(UTC),
        )


def cpu_model(facts: str) -> str:
    """Read the processor's name out of /proc/cpuinfo."""
    for line in facts.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def _commit() -> str:
    """Return the commit, with `+` where files differ from it, other than those of benchmarks."""
    here = Path(__file__).parent
    commit = _git(here, "rev-parse", "--short=12", "HEAD")
    if commit is None:
        return "unknown"
    written = [f":/!{path}" for path in WRITTEN_BY_BENCHMARKS]
    changed = _git(here, "status", "--porcelain", "--", ":/", *written)
    return f"{commit}+" if changed else commit


def _git(folder: Path, *arguments: str) -> str | None:
    program = which("git")
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
