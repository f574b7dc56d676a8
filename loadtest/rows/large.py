"""Rows of ten million listed persons: throughput, and the latency of checks during a rebuild."""

from datetime import UTC, datetime
from pathlib import Path

from loadtest.bench_large import LargePlan, measure_large
from loadtest.figures import Figures
from loadtest.rows.row import Row, RowPlan, RowSide, Spread, spaced

LARGE_GOAL = 0.97
REBUILD_GOAL = 1.5


def large(plan: RowPlan, persons: int, folder: Path) -> list[Row]:
    """Measure a list of so many persons against a list of 10 000 listings, in turn."""
    size = LargePlan(
        seed=plan.seed,
        persons=persons,
        rounds=plan.rounds,
        round_seconds=plan.round_seconds,
        connections=plan.connections,
    )
    report = measure_large(size, folder, datetime.now(UTC), plan.today)
    listed = f"{spaced(persons)} listed"
    pairs = zip(report.large.rounds_per_second, report.small.rounds_per_second, strict=True)
    each = [many / few for many, few in pairs]
    ratio = report.large.per_second / report.small.per_second
    slower = report.during.p99_ms / report.before.p99_ms
    return [
        Row(
            title=f"innocent, {listed}, against 10 000",
            value=Spread(median=ratio, low=min(each), high=max(each)),
            ours=_side(listed, report.large),
            theirs=_side("10 000 listed", report.small),
            at_least=LARGE_GOAL,
        ),
        Row(
            title=f"p99 of checks during a rebuild of {listed}, against before",
            value=Spread.of([slower]),
            at_most=REBUILD_GOAL,
        ),
    ]


def _side(name: str, figures: Figures) -> RowSide:
    return RowSide(
        name=name,
        per_second=Spread.of(figures.rounds_per_second),
        p50_ms=figures.p50_ms,
        p99_ms=figures.p99_ms,
    )
