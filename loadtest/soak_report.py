"""The report of a soak: what the load was, and the trend of every group of processes."""

import msgspec

from loadtest.origin import Origin
from loadtest.process_samples import ProcessSample
from loadtest.trend import Trend


class SoakGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One group of processes: its samples, and the trends after the warm-up."""

    name: str
    memory: Trend
    handles: Trend
    samples: tuple[ProcessSample, ...]

    def text(self) -> str:
        """Return both trends as lines."""
        return f"{self.name:30} {self.memory.text('MiB')}\n{'':30} {self.handles.text('handles')}"


class SoakReport(msgspec.Struct, frozen=True, kw_only=True, tag="soak"):
    """A long mixed load on a server with rebuilds; `faults` are the reasons why the run failed.

    `errors_logged` are the server's log lines of level ERROR.
    """

    origin: Origin
    workers: int
    users: int
    seconds: float
    warm_up_seconds: float
    requests: int
    failures: int
    p50_ms: float
    p99_ms: float
    rebuilds: int
    changes: int
    decisions: int
    errors_logged: int
    groups: tuple[SoakGroup, ...]
    faults: tuple[str, ...]

    def text(self) -> str:
        """Return the report as lines."""
        minutes, warm_up = self.seconds / 60, self.warm_up_seconds / 60
        groups = "\n".join(group.text() for group in self.groups)
        faults = "".join(f"\nFAILED    {fault}" for fault in self.faults)
        return (
            f"{self.users} users for {minutes:.0f} minutes on {self.workers} workers; "
            f"trends without the first {warm_up:.0f} minutes\n"
            f"load      {self.requests} requests ({self.requests / self.seconds:.0f} a second), "
            f"{self.failures} failed; p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms\n"
            f"meanwhile {self.changes} changes of the list, {self.rebuilds} rebuilds, "
            f"{self.decisions} decisions kept; {self.errors_logged} errors logged\n"
            f"{groups}{faults}"
        )
