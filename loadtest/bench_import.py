"""Measures the import of a whole list: its time, and the memory of the importing process."""

import os
import re
from datetime import date, datetime
from pathlib import Path
from time import perf_counter

from loadtest.bench_report import ImportReport
from loadtest.children import IMPORTED, ChildError, checker_program, finished, started
from loadtest.crowd import ListForm
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.service import COMMAND_SECONDS, service_environment

_peak = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class PeakMemory:
    """The peak of the resident memory of a process in KiB, by the kernel's own mark.

    The mark only grows, so a look now and then misses only a peak after the last look.
    `RUSAGE_CHILDREN` is of no use, because it begins with the parent's memory at the fork.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.kib = 0

    def look(self) -> None:
        """Read the mark; after the end of the process the last mark stays."""
        try:
            found = _peak.search(self._status.read_text())
        except (FileNotFoundError, ProcessLookupError):
            return
        if found:
            self.kib = int(found[1])


def measure_import(
    seed: int, listings: int, folder: Path, now: datetime, today: date
) -> ImportReport:
    """Import a population into a new data directory whose database exists already."""
    checker, data = str(checker_program()), str(folder / "data")
    env = service_environment(os.environ)
    published = folder / "list.ndjson"
    with published.open("wb") as file:
        file.writelines(Population(seed, listings, today=today).zxgk_lines())
    finished([checker, "status", "--data-dir", data], env=env, seconds=COMMAND_SECONDS)
    command = [checker, "import", str(published), "--format", "zxgk", "--snapshot"]
    began = perf_counter()
    with started([*command, "--data-dir", data], folder / "import.log", env=env) as child:
        memory = PeakMemory(child.process.pid)

        def has_ended() -> bool:
            memory.look()
            return child.process.poll() is not None

        child.wait_until(has_ended, what="finished", seconds=COMMAND_SECONDS)
        seconds = perf_counter() - began
        if child.process.returncode not in IMPORTED:
            raise ChildError(f"the import failed: {child.log_tail()}")
    return ImportReport(
        origin=Origin.here(now),
        listings=listings,
        format=ListForm.ZXGK,
        file_bytes=published.stat().st_size,
        seconds=seconds,
        peak_rss_mib=memory.kib / 1024,
    )
