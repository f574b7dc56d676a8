"""Long benchmarks, each of one part of the service; `loadtest.bench` has the table.

    python -m loadtest.measure import       a whole list into an empty service
    python -m loadtest.measure large        ten million persons: memory, rebuild, checks
    python -m loadtest.measure changes      a change answered, in force on every node
    python -m loadtest.measure spending     under caps: different persons, one, with a past
    python -m loadtest.measure export       the log of a million decisions, exported
    python -m loadtest.measure notices      notices to many endpoints, of which some hang
    python -m loadtest.measure soak         an hour of mixed load: memory and handles stay flat

Each prints machine, data, commit and day with its figures; `--keep` writes a report as JSON. The
exit code of a soak that failed is 1.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from loadtest.bench_changes import ChangesPlan, measure_changes
from loadtest.bench_export import ExportPlan, measure_export
from loadtest.bench_import import measure_import
from loadtest.bench_large import LargePlan, measure_large
from loadtest.bench_notices import NoticesPlan, measure_notices
from loadtest.bench_report import REPORTS, Report, describe, keep
from loadtest.bench_spending import SpendingPlan, measure_spending
from loadtest.soak import SoakPlan, measure_soak
from loadtest.soak_report import SoakReport

ROUND_SECONDS = 3.0
CHANGES_SECONDS = 30.0
SOAK_SECONDS = 3_600.0
HANGING_ONE_IN = 10
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one measurement; `today` is Shanghai's day."""

    options: argparse.Namespace
    folder: Path
    now: datetime

    @property
    def today(self) -> date:
        """The day."""
        return self.now.astimezone(SHANGHAI).date()

    def rounds(self) -> dict[str, Any]:
        """The fields of all plans of rounds."""
        return {
            "seed": self.options.seed,
            "rounds": self.options.rounds,
            "round_seconds": self.options.seconds or ROUND_SECONDS,
            "connections": self.options.connections,
        }


def _import(setting: Setting) -> Report:
    options = setting.options
    return measure_import(
        options.seed, options.listings, setting.folder, setting.now, setting.today
    )


def _large(setting: Setting) -> Report:
    plan = LargePlan(persons=setting.options.persons, **setting.rounds())
    return measure_large(plan, setting.folder, setting.now, setting.today)


def _changes(setting: Setting) -> Report:
    options = setting.options
    plan = ChangesPlan(
        seed=options.seed,
        listings=options.listings,
        rate=options.rate,
        seconds=options.seconds or CHANGES_SECONDS,
        connections=options.connections,
    )
    return measure_changes(plan, setting.folder, setting.now, setting.today)


def _spending(setting: Setting) -> Report:
    options = setting.options
    plan = SpendingPlan(
        listings=options.listings,
        past_steps=options.past_steps,
        workers=options.workers,
        merchants=options.merchants,
        **setting.rounds(),
    )
    return measure_spending(plan, setting.folder, setting.now, setting.today)


def _export(setting: Setting) -> Report:
    options = setting.options
    plan = ExportPlan(
        seed=options.seed,
        listings=options.listings,
        decisions=options.decisions,
        workers=options.workers,
    )
    return measure_export(plan, setting.folder, setting.now, setting.today)


def _notices(setting: Setting) -> Report:
    options = setting.options
    plan = NoticesPlan(
        seed=options.seed,
        listings=options.listings,
        endpoints=options.endpoints,
        hanging=options.endpoints // HANGING_ONE_IN,
        notices=options.notices,
    )
    return measure_notices(plan, setting.folder, setting.now, setting.today)


def _soak(setting: Setting) -> Report:
    options = setting.options
    plan = SoakPlan(
        seconds=options.seconds or SOAK_SECONDS, workers=options.workers, users=options.users
    )
    return measure_soak(plan, setting.folder, setting.now)


MEASURES: Mapping[str, Callable[[Setting], Report]] = {
    "import": _import,
    "large": _large,
    "changes": _changes,
    "spending": _spending,
    "export": _export,
    "notices": _notices,
    "soak": _soak,
}
"""Each measurement has a folder that is deleted afterwards."""


def main() -> None:
    """Measure what the command line names, and print the report."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.measure",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=MEASURES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, help="of a round, of all changes, of a soak")
    parser.add_argument("--persons", type=int, default=10_000_000, help="of the large list")
    parser.add_argument("--rate", type=float, default=100.0, help="changes a second")
    parser.add_argument("--past-steps", type=int, default=10_000_000, help="of spending")
    parser.add_argument("--decisions", type=int, default=1_000_000, help="to be exported")
    parser.add_argument("--merchants", type=int, default=50, help="who sell to one person")
    parser.add_argument("--workers", type=int, default=2, help="of spending, export and soak")
    parser.add_argument("--users", type=int, default=12, help="of a soak")
    parser.add_argument("--endpoints", type=int, default=100, help="one in ten hangs")
    parser.add_argument("--notices", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--keep", action="store_true", help=f"write a report into {REPORTS.name}/")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="bench-") as folder:
        setting = Setting(options=options, folder=Path(folder), now=datetime.now(UTC))
        report = MEASURES[options.what](setting)
    print(describe(report))
    if options.keep:
        print(keep(report, REPORTS))
    if isinstance(report, SoakReport) and report.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
