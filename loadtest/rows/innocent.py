"""Rows of innocent persons: against the baselines, with a name, with a quota, at half the rate."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from loadtest.baselines.running import (
    BASELINES,
    BaselinePlace,
    missing,
)
from loadtest.closed_load import ClosedLoad
from loadtest.open_arrivals import OpenArrivals, arrive
from loadtest.questions import check_request, innocents, named, persons_alone, verify
from loadtest.rows.row import Ground, Row, RowSide, Send, Spread, against, in_rounds
from loadtest.service import ServiceRun, service_run

OURS = "checker"
ONE_WORKER = "innocent, against "
"""The titles of the rows that the chart shows begin so."""

Goals = Mapping[str, tuple[str, float | None]]
"""The name of each baseline in the table, and our goal; None: a baseline without a goal."""

GOALS: Goals = {
    "fastapi": ("FastAPI + Redis GET", 9.0),
    "psycopg": ("FastAPI + psycopg SELECT", None),
    "litestar": ("Litestar, typed, constant answer", None),
    "bare-asgi": ("bare ASGI callable under granian", 1.5),
    "nginx": ("nginx + Lua + Redis GET", 1.1),
}
"""The baselines of an innocent's check."""

TWO_WORKERS_GOAL = 1.0
NAMED_GOAL = 0.85
QUOTA_GOAL = 0.97
HALF_GOAL = 3.0
ITEMS_PER_MINUTE = 100_000_000
ITEMS_PER_DAY = 1_000_000_000
"""Out of reach: nobody is refused, and both quotas are taken from."""

ARRIVAL_CONNECTIONS = 64
"""Enough connections that an arrival seldom waits for a free one."""


def innocent(ground: Ground) -> list[Row]:
    """Measure our worker against one worker of each baseline."""
    return _against_baselines(ground, ONE_WORKER, GOALS, workers=1)


def two_workers(ground: Ground) -> list[Row]:
    """Measure our two workers against two of nginx."""
    goals: Goals = {"nginx": ("nginx + Lua + Redis GET", TWO_WORKERS_GOAL)}
    return _against_baselines(ground, "innocent, two workers each, against ", goals, workers=2)


def with_name(ground: Ground) -> list[Row]:
    """Measure checks with a name against checks of the same persons without."""
    subjects = list(persons_alone(innocents(ground.population)))
    key = ground.run.key
    with_names = [check_request(subject, key) for subject in named(subjects)]
    without = [check_request(subject, key) for subject in subjects]
    ours, theirs = in_rounds(ground.plan, [_send(ground, with_names), _send(ground, without)])
    title = "innocent with a name, against without"
    return [against(title, ("with a name", ours), ("without", theirs), at_least=NAMED_GOAL)]


def quota(ground: Ground) -> list[Row]:
    """Measure a key with limits a minute and a day against a key without."""
    subjects = innocents(ground.population)
    limited = ground.run.new_key("institution", quota=ITEMS_PER_MINUTE, daily_quota=ITEMS_PER_DAY)
    with_limits = [check_request(subject, limited) for subject in subjects]
    without = [check_request(subject, ground.run.key) for subject in subjects]
    ours, theirs = in_rounds(ground.plan, [_send(ground, with_limits), _send(ground, without)])
    title = "key with quotas, against without"
    return [against(title, ("with quotas", ours), ("without", theirs), at_least=QUOTA_GOAL)]


def half_rate(ground: Ground) -> list[Row]:
    """Measure p99 by p50 at half of the highest rate, with arrivals that wait for no answer."""
    requests = [check_request(subject, ground.run.key) for subject in innocents(ground.population)]
    highest = _send(ground, requests)(ground.plan.round_seconds).per_second
    arrivals = OpenArrivals(
        port=ground.run.port,
        requests=requests,
        per_second=highest / 2,
        connections=ARRIVAL_CONNECTIONS,
        seed=ground.plan.seed,
    )
    [rounds] = in_rounds(ground.plan, [lambda seconds: arrive(arrivals, seconds)])
    return [
        Row(
            title="p99 at half of the highest rate, against p50",
            value=Spread.of([one.p99_ms / one.p50_ms for one in rounds]),
            ours=RowSide.of("at half of the highest rate", rounds),
            at_most=HALF_GOAL,
        )
    ]


@contextmanager
def service_before(ground: Ground, program: Path) -> Iterator[ServiceRun]:
    """Run the service of an older installation with the same list."""
    folder = ground.folder / "before"
    folder.mkdir()
    with service_run(ground.population, folder, program=program) as run:
        verify(ground.population, run.port, run.key, ground.plan.today)
        yield run


def _against_baselines(ground: Ground, head: str, goals: Goals, *, workers: int) -> list[Row]:
    """Return a row for each baseline, with a title that begins with `head`.

    All servers are measured in the same rounds.
    """
    place = BaselinePlace(folder=ground.folder, population=ground.population, workers=workers)
    requests = [check_request(subject, ground.run.key) for subject in innocents(ground.population)]
    sends: list[Send] = [_send(ground, requests)]
    names: list[tuple[str, str, float | None]] = []
    skipped: list[Row] = []
    with ExitStack() as stack:
        for name, (title, goal) in goals.items():
            if lacks := missing(name):
                skipped.append(Row(title=f"{head}{title}", lacks=lacks))
                continue
            port = stack.enter_context(BASELINES[name](place))
            sends.append(_send(ground, requests, port=port))
            names.append((f"{head}{title}", title, goal))
        if ground.plan.before and workers == 1:
            run = stack.enter_context(service_before(ground, ground.plan.before))
            mine, old_key = ground.run.key.encode(), run.key.encode()
            old = [request.replace(mine, old_key) for request in requests]
            sends.append(_send(ground, old, port=run.port))
            names.append(("innocent, one worker, against checker before", "checker before", None))
        ours, *others = in_rounds(ground.plan, sends)
    rows = [
        against(title, (OURS, ours), (name, theirs), at_least=goal)
        for (title, name, goal), theirs in zip(names, others, strict=True)
    ]
    return [*rows, *skipped]


def _send(ground: Ground, requests: list[bytes], *, port: int | None = None) -> Send:
    load = ClosedLoad(
        port=port or ground.run.port,
        requests=requests,
        connections=ground.plan.connections,
    )
    return load.send
