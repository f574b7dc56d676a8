"""Measures the table of docs/performance.md: the service and its baselines in turn.

    python -m loadtest.bench                  all rows but the long one, in under eight minutes
    python -m loadtest.bench innocent batch   these rows alone
    python -m loadtest.bench --large          all rows, and the row of ten million persons
    python -m loadtest.bench --keep --write   keeps a report, and writes table and chart into docs/

Servers take turns in short rounds, so other work of the machine hits all alike. Every service is
verified against the truth before a row is measured on it. A baseline whose program is missing is
left out, and the row says what is missing.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from checker.domain.clock import shanghai_day
from loadtest.bench_report import REPORTS
from loadtest.bench_spending import SETTINGS
from loadtest.chart import write_chart
from loadtest.closed_load import FailedRoundError, generator_name
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.questions import verify
from loadtest.rows.batch import batch, beside_batches
from loadtest.rows.crowd import crowd
from loadtest.rows.innocent import half_rate, innocent, quota, two_workers, with_name
from loadtest.rows.kept import WORKERS, adverse, changes, spending
from loadtest.rows.large import large
from loadtest.rows.row import Ground, Row, RowPlan
from loadtest.service import service_run
from loadtest.table import (
    DOCS,
    PAGE,
    TableReport,
    keep_table,
    kept_tables,
    newest_rows,
    table_markdown,
    table_text,
    write_between_markers,
)

LARGE = "large"

Measure = Callable[[Ground], list[Row]]

ON_ONE_WORKER: Mapping[str, Measure] = {
    "innocent": innocent,
    "named": with_name,
    "quota": quota,
    "half": half_rate,
    "batch": batch,
    "beside": beside_batches,
    "crowd": crowd,
}
"""Rows that are measured on a service of one worker, in this order."""

ON_TWO_WORKERS: Mapping[str, Measure] = {
    "two-workers": two_workers,
    "adverse": adverse,
    "spending": spending,
    "changes": changes,
}
"""Rows that are measured on a service of two workers, in this order."""

ROWS = (*ON_ONE_WORKER, *ON_TWO_WORKERS, LARGE)


def measured(
    names: set[str], plan: RowPlan, persons: int, folder: Path, failed: list[str]
) -> Iterator[Row]:
    """Yield the rows of these names, in the order of the table.

    A round with a failure gives no row; the name of the row and the failure go into `failed`.
    """
    population = Population(plan.seed, plan.listings, today=plan.today)
    services = ((ON_ONE_WORKER, 1, None), (ON_TWO_WORKERS, WORKERS, SETTINGS))
    for measures, workers, settings in services:
        wanted = [name for name in measures if name in names]
        if not wanted:
            continue
        place = folder / f"{workers}-workers"
        place.mkdir()
        with service_run(population, place, workers=workers, settings=settings) as run:
            verify(population, run.port, run.key, plan.today)
            for name in wanted:
                print(f"{name} …", file=sys.stderr, flush=True)
                with _emptied(folder / name) as own:
                    ground = Ground(plan=plan, run=run, population=population, folder=own)
                    try:
                        yield from measures[name](ground)
                    except FailedRoundError as fault:
                        failed.append(f"{name}: {fault}")
    if LARGE in names:
        print(f"{LARGE} …", file=sys.stderr, flush=True)
        with _emptied(folder / LARGE) as own:
            yield from large(plan, persons, own)


def write_docs(reports: Path, docs: Path) -> None:
    """Write the newest rows of all kept reports into the page and the chart."""
    kept = kept_tables(reports)
    write_between_markers(docs / PAGE, "bench", table_markdown(kept))
    write_chart(newest_rows(kept), docs / "performance.svg")


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    with TemporaryDirectory(dir=folder) as own:
        yield Path(own)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of: {', '.join(ROWS)}")
    parser.add_argument("--large", action="store_true", help="the row of ten million persons too")
    parser.add_argument("--persons", type=int, default=10_000_000, help="of the long row")
    parser.add_argument("--before", type=Path, help="the `checker` of an older installation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--keep", action="store_true", help=f"write a report into {REPORTS.name}/")
    parser.add_argument("--write", action="store_true", help="write kept reports into docs/")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return options


def main() -> None:
    """Measure the rows that the command line names, and print them."""
    options, now = _options(), datetime.now(UTC)
    failed: list[str] = []
    names = set(options.rows) or {*ON_ONE_WORKER, *ON_TWO_WORKERS}
    plan = RowPlan(
        seed=options.seed,
        listings=options.listings,
        rounds=options.rounds,
        round_seconds=float(options.seconds),
        connections=options.connections,
        before=options.before,
        today=shanghai_day(now),
    )
    with TemporaryDirectory(prefix="bench-") as folder:
        wanted = names | {LARGE} if options.large else names
        rows = tuple(measured(wanted, plan, options.persons, Path(folder), failed))
    report = TableReport(
        origin=Origin.here(now),
        generator=generator_name(),
        listings=plan.listings,
        connections=plan.connections,
        rounds=plan.rounds,
        round_seconds=plan.round_seconds,
        rows=rows,
    )
    print(table_text(report))
    if options.keep:
        print(keep_table(report, REPORTS))
    if options.write:
        write_docs(REPORTS, DOCS)
    if failed:
        sys.exit("no figure: " + "; ".join(failed))


if __name__ == "__main__":
    main()
