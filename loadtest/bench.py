"""Benchmarks that anybody can repeat.

    python -m loadtest.bench checks       the service against the FastAPI baseline
    python -m loadtest.bench import       a whole list into an empty service
    python -m loadtest.bench large        ten million persons: memory, rebuild, checks
    python -m loadtest.bench changes      a change answered, in force on every node
    python -m loadtest.bench notices      an ending told at many endpoints, of which some hang
    python -m loadtest.bench generator    the load generator's own ceiling

Each prints machine, data, commit and day with its figures; `--keep` writes a report as JSON.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, assert_never, get_args
from zoneinfo import ZoneInfo

from loadtest.bench_changes import ChangesPlan, measure_changes
from loadtest.bench_checks import ChecksPlan, measure_checks
from loadtest.bench_import import measure_import
from loadtest.bench_large import LargePlan, measure_large
from loadtest.bench_notices import NoticesPlan, measure_notices
from loadtest.bench_notices_report import NoticesReport
from loadtest.bench_report import REPORTS, Figures, GeneratorReport, Origin, Report, describe, keep
from loadtest.children import START_SECONDS, free_port, listens, started
from loadtest.generator import Load, post, send_on_uvloop

What = Literal["checks", "import", "large", "changes", "notices", "generator"]
ROUND_SECONDS = 3.0
CHANGES_SECONDS = 30.0
HANGING_ONE_IN = 10
SHANGHAI = ZoneInfo("Asia/Shanghai")


def measure(
    what: What, options: argparse.Namespace, folder: Path, now: datetime
) -> Report | NoticesReport:
    """Measure one thing in a folder that is emptied afterwards."""
    today = now.astimezone(SHANGHAI).date()
    round_seconds = options.seconds or ROUND_SECONDS
    match what:
        case "checks":
            plan = ChecksPlan(
                seed=options.seed,
                listings=options.listings,
                listed_share=options.listed_share,
                rounds=options.rounds,
                round_seconds=round_seconds,
                connections=options.connections,
            )
            return measure_checks(plan, folder, now, today)
        case "import":
            return measure_import(options.seed, options.listings, folder, now, today)
        case "large":
            large = LargePlan(
                seed=options.seed,
                persons=options.persons,
                rounds=options.rounds,
                round_seconds=round_seconds,
                connections=options.connections,
            )
            return measure_large(large, folder, now, today)
        case "changes":
            changes = ChangesPlan(
                seed=options.seed,
                listings=options.listings,
                rate=options.rate,
                seconds=options.seconds or CHANGES_SECONDS,
                connections=options.connections,
            )
            return measure_changes(changes, folder, now, today)
        case "notices":
            notices = NoticesPlan(
                seed=options.seed,
                listings=options.listings,
                endpoints=options.endpoints,
                hanging=options.endpoints // HANGING_ONE_IN,
                notices=options.notices,
            )
            return measure_notices(notices, folder, now, today)
        case "generator":
            return measure_generator(
                options.connections, options.rounds, round_seconds, folder, now
            )
        case _:
            assert_never(what)


def measure_generator(
    connections: int, rounds: int, seconds: float, folder: Path, now: datetime
) -> GeneratorReport:
    """Measure the generator against a server that answers a constant."""
    port = free_port()
    command = [sys.executable, "-m", "loadtest.trivial_server", str(port)]
    with started(command, folder / "server.log") as child:
        child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
        load = Load(
            port=port, requests=[post("/", b"{}")], connections=connections, seconds=seconds
        )
        reports = [send_on_uvloop(load) for _ in range(rounds)]
    return GeneratorReport(
        origin=Origin.here(now), connections=connections, generator=Figures.of(reports)
    )


def main() -> None:
    """Measure what the command line names, and say it."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=get_args(What), default="checks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--listed-share", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, help="of each round (3), or of all changes (30)")
    parser.add_argument("--persons", type=int, default=10_000_000, help="of the large list")
    parser.add_argument("--rate", type=float, default=100.0, help="changes a second")
    parser.add_argument("--endpoints", type=int, default=100, help="one in ten hangs")
    parser.add_argument("--notices", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--keep", action="store_true", help=f"write a report into {REPORTS.name}/")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="bench-") as folder:
        report = measure(options.what, options, Path(folder), datetime.now(UTC))
    print(describe(report))
    if options.keep:
        print(keep(report, REPORTS))


if __name__ == "__main__":
    main()
