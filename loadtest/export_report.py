"""The report of the benchmark of the export of kept decisions."""

import msgspec

from loadtest.origin import Origin


class ExportReport(msgspec.Struct, frozen=True, kw_only=True, tag="export"):
    """An export of all decisions, and the memory of the largest worker before and during it."""

    origin: Origin
    listings: int
    workers: int
    exported: int
    fill_seconds: float
    export_seconds: float
    export_bytes: int
    worker_before_mib: float
    worker_peak_mib: float

    def text(self) -> str:
        """Return the report as lines."""
        return (
            f"{self.listings} listings, {self.workers} workers\n"
            f"export    {self.exported} decisions, {self.export_bytes / 1e6:.0f} MB in "
            f"{self.export_seconds:.1f} s ({self.exported / self.export_seconds:.0f}/s), written "
            f"before in {self.fill_seconds:.0f} s\n"
            f"worker    RSS {self.worker_before_mib:.0f} MiB before, at most "
            f"{self.worker_peak_mib:.0f} MiB during the export"
        )
