"""Rows of two workers that write: kept adverse answers, spending, and changes in force."""

from datetime import UTC, datetime

from loadtest.baselines.running import BaselinePlace, committed_inserts
from loadtest.bench_changes import ChangesPlan, changes_in_force
from loadtest.bench_spending import KEPT, SOLD, SpendingBench, SpendingLoad, send_sales
from loadtest.closed_load import ClosedLoad, LoadRound
from loadtest.generator import post
from loadtest.merchants import AMOUNT_FEN, authorization_body, debtors
from loadtest.questions import check_request, denied, verify_denied
from loadtest.rows.row import Ground, Row, RowSide, RowUnit, Send, Spread, against, in_rounds

WORKERS = 2
ADVERSE_GOAL = 0.9
SPENDING_GOAL = 0.8
CHANGES_GOAL_MS = 25.0
CHANGES_PER_SECOND = 100.0
INSERT = "Litestar + one committed INSERT"


def adverse(ground: Ground) -> list[Row]:
    """Measure denied checks, each kept, against one committed INSERT for each request."""
    run, plan = ground.run, ground.plan
    subjects = denied(ground.population, plan.today)
    verify_denied(subjects, run.port, run.key)
    orders = [
        post("/orders", authorization_body(each.document, AMOUNT_FEN, "ORDER")) for each in subjects
    ]
    checks = ClosedLoad(
        port=run.port,
        requests=[check_request(each, run.key) for each in subjects],
        connections=plan.connections,
    )
    with committed_inserts(run.data / "postgres", _place(ground)) as port:
        inserts = ClosedLoad(
            port=port, requests=orders, connections=plan.connections, statuses=KEPT
        )
        ours, theirs = in_rounds(plan, [checks.send, inserts.send])
    title = f"adverse and kept, against {INSERT}, two workers each"
    return [against(title, ("adverse checks", ours), (INSERT, theirs), at_least=ADVERSE_GOAL)]


def spending(ground: Ground) -> list[Row]:
    """Measure authorizations and captures of different persons against committed INSERTs."""
    run, plan = ground.run, ground.plan
    bench = SpendingBench(debtors(ground.population, plan.today))
    with committed_inserts(run.data / "postgres", _place(ground)) as port:
        sends = [
            _sales(bench.to_different([run.key] * plan.connections, run.port), SOLD),
            _sales(bench.to_baseline(port, plan.connections), KEPT),
        ]
        ours, theirs = in_rounds(plan, sends)
    title = f"spending at {plan.connections} connections, against {INSERT}, two workers each"
    return [against(title, ("authorize, capture", ours), (INSERT, theirs), at_least=SPENDING_GOAL)]


def changes(ground: Ground) -> list[Row]:
    """Measure the p99 of changes in force on four nodes; each change is verified by a check."""
    plan = ChangesPlan(
        seed=ground.plan.seed,
        listings=ground.plan.listings,
        rate=CHANGES_PER_SECOND,
        seconds=ground.plan.rounds * ground.plan.round_seconds,
        connections=ground.plan.connections,
    )
    now = datetime.now(UTC)
    report = changes_in_force(plan, ground.run, ground.population, ground.folder, now)
    measured = LoadRound(
        answers=report.all.count,
        seconds=plan.seconds,
        p50_ms=report.all.p50_ms,
        p99_ms=report.all.p99_ms,
    )
    kinds = (report.listed.p99_ms, report.delisted.p99_ms)
    return [
        Row(
            title=f"p99 of a change in force on four nodes, at {CHANGES_PER_SECOND:.0f} a second",
            unit=RowUnit.MILLISECONDS,
            value=Spread(median=report.all.p99_ms, low=min(kinds), high=max(kinds)),
            ours=RowSide.of("changes", [measured]),
            at_most=CHANGES_GOAL_MS,
        )
    ]


def _place(ground: Ground) -> BaselinePlace:
    return BaselinePlace(folder=ground.folder, population=ground.population, workers=WORKERS)


def _sales(load: SpendingLoad, statuses: frozenset[int]) -> Send:
    return lambda seconds: LoadRound.of(send_sales(load, seconds), statuses)
