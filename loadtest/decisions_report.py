"""The report of the benchmark of kept decisions."""

import msgspec

from loadtest.figures import Figures
from loadtest.origin import Origin


class DecisionsReport(msgspec.Struct, frozen=True, kw_only=True, tag="decisions"):
    """Adverse checks, each kept before it is answered, in turn with one committed INSERT a request;
    and an export of all that is kept, with how much the worker grew meanwhile.
    """

    origin: Origin
    listings: int
    workers: int
    connections: int
    round_seconds: float
    adverse: Figures
    baseline: Figures
    exported: int
    fill_seconds: float
    export_seconds: float
    export_bytes: int
    worker_before_mib: float
    worker_peak_mib: float

    @property
    def ratio(self) -> float:
        """Adverse checks a second for one of the baseline's requests, by medians."""
        return self.adverse.per_second / self.baseline.per_second

    def text(self) -> str:
        """Say it in lines."""
        return (
            f"{self.listings} listings, {self.workers} workers, {self.connections} connections, "
            f"{len(self.adverse.rounds_per_second)} rounds of {self.round_seconds} s each\n"
            f"adverse   {self.adverse.text()}\n"
            f"baseline  {self.baseline.text()}\n"
            f"ratio     {self.ratio:.2f}\n"
            f"export    {self.exported} decisions, {self.export_bytes / 1e6:.0f} MB in "
            f"{self.export_seconds:.1f} s ({self.exported / self.export_seconds:.0f}/s), written "
            f"before in {self.fill_seconds:.0f} s\n"
            f"worker    RSS {self.worker_before_mib:.0f} MiB before, at most "
            f"{self.worker_peak_mib:.0f} MiB during the export"
        )
