"""The reports of benchmarks, each with its machine, data and commit."""

from pathlib import Path

import msgspec

from loadtest.export_report import ExportReport
from loadtest.figures import Figures
from loadtest.memory import ProcessMemory
from loadtest.notices_report import NoticesReport
from loadtest.origin import Origin
from loadtest.paced import Latencies
from loadtest.soak_report import SoakReport
from loadtest.spending_report import SpendingReport

REPORTS = Path(__file__).parent / "reports"


class ImportReport(msgspec.Struct, frozen=True, kw_only=True, tag="import"):
    """One import of a whole list; the time includes the start of the embedded servers."""

    origin: Origin
    listings: int
    format: str
    file_bytes: int
    seconds: float
    peak_rss_mib: float

    def text(self) -> str:
        """Return the report as lines."""
        return (
            f"{self.listings} listings, {self.file_bytes / 1e6:.0f} MB of {self.format}\n"
            f"import    {self.seconds:.1f} s, {self.listings / self.seconds:.0f} listings/s, "
            f"peak {self.peak_rss_mib:.0f} MiB"
        )


class LargeReport(msgspec.Struct, frozen=True, kw_only=True, tag="large"):
    """A list of millions: memory, a rebuild while checks go on, speed, false positives.

    Bytes of Redis are the growth of `used_memory`, all keys, for each token that came: filter and
    standings. `worker_before` had the small list alone.
    """

    origin: Origin
    persons: int
    small_listings: int
    tokens: int
    fill_seconds: float
    redis_bytes_per_token: float
    redis_peak_mib: float
    filter_mib: float
    worker_before: ProcessMemory
    worker_after: ProcessMemory
    worker_in_the_end: ProcessMemory
    publisher_peak_mib: float
    first_build_seconds: float
    rebuild_seconds: float
    checks_per_second: float
    before: Latencies
    during: Latencies
    connections: int
    round_seconds: float
    large: Figures
    small: Figures
    probes: int
    false_positive_rate: float
    expected_false_positive_rate: float

    @property
    def worker_growth_mib(self) -> float:
        """How much more a worker holds with the millions, a rebuild later."""
        return self.worker_in_the_end.rss_mib - self.worker_before.rss_mib

    def text(self) -> str:
        """Return the report as lines."""
        end = self.worker_in_the_end
        return (
            f"{self.persons} persons written in {self.fill_seconds:.0f} s beside a list of "
            f"{self.small_listings}; {self.tokens} tokens\n"
            f"Redis     {self.redis_bytes_per_token:.1f} bytes each, peak "
            f"{self.redis_peak_mib:.0f} MiB with two generations\n"
            f"worker    RSS {self.worker_before.rss_mib:.0f} MiB before, "
            f"{self.worker_after.rss_mib:.0f} with the filter of {self.filter_mib:.1f} MiB, "
            f"{end.rss_mib:.0f} after a rebuild (PSS {end.pss_mib:.0f}, peak "
            f"{end.peak_rss_mib:.0f}): {self.worker_growth_mib:+.1f} MiB\n"
            f"publisher peak {self.publisher_peak_mib:.0f} MiB\n"
            f"rebuild   {self.rebuild_seconds:.1f} s with {self.checks_per_second:.0f} checks/s "
            f"going on (first build {self.first_build_seconds:.1f} s without)\n"
            f"before    {self.before.text()}\n"
            f"during    {self.during.text()}: "
            f"{self.during.p99_ms / self.before.p99_ms:.2f} of the p99 before\n"
            f"large     {self.large.text()}\n"
            f"small     {self.small.text()}\n"
            f"ratio     {self.large.per_second / self.small.per_second:.3f}, "
            f"{self.connections} connections, {len(self.large.rounds_per_second)} rounds of "
            f"{self.round_seconds} s each, nobody listed\n"
            f"maybes    {self.false_positive_rate:.5%} of {self.probes} strangers, by theory "
            f"{self.expected_false_positive_rate:.5%}: "
            f"{self.false_positive_rate / self.expected_false_positive_rate:.3f}"
        )


class ChangesReport(msgspec.Struct, frozen=True, kw_only=True, tag="changes"):
    """Changes at a rate: from their sending to the answer, which means "in force on every node"."""

    origin: Origin
    listings: int
    servers: int
    workers: int
    rate: float
    seconds: float
    connections: int
    verified_answers: int
    listed: Latencies
    delisted: Latencies
    all: Latencies
    cold: Latencies

    def text(self) -> str:
        """Return the report as lines."""
        return (
            f"{self.listings} listings, {self.servers} servers of {self.workers} workers each, "
            f"{self.rate:.0f} changes/s for {self.seconds:.0f} s over {self.connections} "
            f"connections; {self.verified_answers} checks after answers, all right\n"
            f"list      {self.listed.text()}\n"
            f"delist    {self.delisted.text()}\n"
            f"all       {self.all.text()}\n"
            f"cold      {self.cold.text()} (the first seconds, not among the others)"
        )


Report = (
    ImportReport
    | LargeReport
    | ChangesReport
    | SpendingReport
    | ExportReport
    | NoticesReport
    | SoakReport
)


def describe(report: Report) -> str:
    """Return a report as lines; the first line names machine, commit and instant."""
    return f"{report.origin.text()}\n{report.text()}"


def keep(report: Report, folder: Path) -> Path:
    """Write a report as JSON into a folder, named by its instant and kind."""
    return keep_as(str(report.__struct_config__.tag), report.origin, report, folder)


def keep_as(kind: str, origin: Origin, report: msgspec.Struct, folder: Path) -> Path:
    """Write a report of this kind as JSON into a folder, and return the file."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{origin.measured_at:%Y%m%dT%H%M%SZ}-{kind}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return path
