"""Measures how long a year's record takes to verify, and the memory of the verifying process.

    python -m loadtest.bench_verify --decisions 10000000 --changes 1000000 --listings 100000

A population is imported in the ordinary way. PostgreSQL itself then writes the year: decisions, and
changes of the list that shield a listing and end the shielding of another, as the service keeps
them. None of these rows is in the journal yet. So the next command begins the journal anew, and
its time is measured too: an upgrade of such a deployment takes as long. The service beside makes
the links. Then `checker audit verify` is measured. After a fault there is no figure.

One thing differs from a real year: a change writes one entry of the journal, and an upgrade writes
two or three for each change. So the figures are too high rather than too low.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from loadtest.bench_import import PeakMemory
from loadtest.children import ChildError, checker_program, started
from loadtest.kept_decisions import DECISIONS
from loadtest.large_list import filling
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.service import ServiceRun, service_environment, service_run

SECONDS_MAX = 6 * 3600
"""The verification of a year takes minutes; a longer one does not end."""

LOOK_S = 0.5

_QUEUE = """
INSERT INTO unchained (decision_id, decision_at)
SELECT id, at FROM decision ORDER BY id"""

# Change n shields one listing and ends the shielding that change n - 1 began; one more change ends
# the last shielding, so that every outline is as the listings alone make it.
_CHANGES = """
WITH place AS (
  SELECT coalesce(max(version), 0) AS version, max(at) AS at,
    (SELECT history FROM server_run LIMIT 1) AS history FROM change
), listed AS (
  SELECT id, row_number() OVER (ORDER BY pk) - 1 AS place, count(*) OVER () AS count
  FROM listing WHERE until_version IS NULL
), made AS (
  INSERT INTO change (version, change_id, history, kind, at, accepted, rejected)
  SELECT place.version + n, gen_random_uuid(), place.history, 'changes',
    place.at + n * interval '1 microsecond', 2, 0
  FROM place, generate_series(1, $1::bigint + 1) AS each(n)
)
INSERT INTO directive (listing_id, kind, from_version, until_version)
SELECT listed.id, 'shielding', place.version + n,
  place.version + n + 1
FROM place, generate_series(1, $1::bigint) AS each(n)
JOIN listed ON listed.place = n % listed.count"""

_ANEW = "TRUNCATE journal; UPDATE deployment SET journaled_at = NULL"
_TABLES = "decision, unchained, change, directive, journal"
_WAITING = """
SELECT (SELECT count(*) FROM unchained) + (SELECT count(*) FROM journal WHERE number IS NULL)"""


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The number of rows that were verified, the time, and the peak memory."""

    origin: Origin
    listings: int
    decisions: int
    changes: int
    begin_seconds: float
    link_seconds: float
    verify_seconds: float
    peak_rss_mib: float
    printed: Sequence[str]


def measure_verification(options: argparse.Namespace, folder: Path, now: datetime) -> VerifyReport:
    """Measure in a folder of its own."""
    decisions, changes = options.decisions, options.changes
    today = now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    population = Population(options.seed, options.listings, today=today)
    with service_run(population, folder) as run:
        socket_folder = run.data / "postgres"
        asyncio.run(_write_year(socket_folder, decisions, changes))
        begin_seconds, _, _ = _timed(run, folder, "status")
        began = perf_counter()
        while asyncio.run(_waiting(socket_folder)):
            sleep(LOOK_S)
            if perf_counter() - began > SECONDS_MAX:
                raise ChildError("the links are not made")
        link_seconds = perf_counter() - began
        verify_seconds, peak_mib, printed = _timed(run, folder, "audit", "verify")
    return VerifyReport(
        origin=Origin.here(now),
        listings=options.listings,
        decisions=decisions,
        changes=changes,
        begin_seconds=begin_seconds,
        link_seconds=link_seconds,
        verify_seconds=verify_seconds,
        peak_rss_mib=peak_mib,
        printed=printed.splitlines(),
    )


async def _write_year(socket_folder: Path, decisions: int, changes: int) -> None:
    async with filling(socket_folder) as connection:
        async with connection.transaction():
            await connection.execute(DECISIONS, decisions)
            await connection.execute(_QUEUE)
            await connection.execute(_CHANGES, changes)
            await connection.execute(_ANEW)
        # Else autovacuum would do it while something else is measured.
        await connection.execute(f"VACUUM (ANALYZE) {_TABLES}")


async def _waiting(socket_folder: Path) -> int:
    async with filling(socket_folder) as connection:
        counted: Any = await connection.fetchval(_WAITING)
    return int(counted)


def _timed(run: ServiceRun, folder: Path, *command: str) -> tuple[float, float, str]:
    """Run a command beside the service; return its seconds, its peak memory and its output."""
    log = folder / f"{command[-1]}.log"
    words = [str(checker_program()), *command, "--data-dir", str(run.data)]
    began = perf_counter()
    with started(words, log, env=service_environment(os.environ)) as child:
        memory = PeakMemory(child.process.pid)

        def has_ended() -> bool:
            memory.look()
            return child.process.poll() is not None

        child.wait_until(has_ended, what="finished", seconds=SECONDS_MAX)
        seconds = perf_counter() - began
        if child.process.returncode:
            raise ChildError(f"{' '.join(command)} failed: {child.log_tail()}")
    return seconds, memory.kib / 1024, log.read_text(encoding="utf-8")


def main() -> None:
    """Measure, and print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=200_000)
    parser.add_argument("--changes", type=int, default=50_000)
    parser.add_argument("--listings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="verify-") as folder:
        report = measure_verification(options, Path(folder), datetime.now(UTC))
    print(msgspec.json.format(msgspec.json.encode(report)).decode())


if __name__ == "__main__":
    main()
