"""Rows of batches: persons a second, and the latency of single checks beside full batches."""

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from shutil import which
from statistics import median
from time import perf_counter

import uvloop

from loadtest.children import ChildError
from loadtest.closed_load import ClosedLoad, LoadRound, wrk_command, wrk_round
from loadtest.paced import Latencies, PacedQuestions, ask_until
from loadtest.questions import batches, check_request, innocents
from loadtest.rows.innocent import service_before
from loadtest.rows.row import (
    WARM_UP_SECONDS,
    Ground,
    Row,
    RowSide,
    RowUnit,
    Send,
    Spread,
    in_rounds,
    ratios,
    spaced,
)

PERSONS = 1_000
FULL = 10_000
"""The largest batch of the contract."""

REQUESTS = 20
BATCH_CONNECTIONS = 4
PERSONS_GOAL = 300_000.0
BEFORE_GOAL = 3.5
BESIDE_GOAL = 2.0
SINGLES_PER_SECOND = 500.0
"""Far below the highest rate, so that only the batches can slow the single checks."""


def batch(ground: Ground) -> list[Row]:
    """Measure persons a second in batches of 1 000, and against an older installation."""
    with ExitStack() as stack:
        sends = [_send(ground, ground.run.port, ground.run.key)]
        if ground.plan.before:
            old = stack.enter_context(service_before(ground, ground.plan.before))
            sends.append(_send(ground, old.port, old.key))
        ours, *others = in_rounds(ground.plan, sends)
    persons = [one.per_second * PERSONS for one in ours]
    rows = [
        Row(
            title=f"batch of {spaced(PERSONS)} innocents over HTTP",
            unit=RowUnit.PERSONS,
            value=Spread.of(persons),
            ours=RowSide.of("batches", ours),
            at_least=PERSONS_GOAL,
        )
    ]
    before = [
        Row(
            title="the same batch, against checker before",
            value=ratios(ours, theirs),
            ours=RowSide.of("batches", ours),
            theirs=RowSide.of("batches before", theirs),
            at_least=BEFORE_GOAL,
        )
        for theirs in others
    ]
    return [*rows, *before]


def beside_batches(ground: Ground) -> list[Row]:
    """Measure the p99 of single checks while batches of 10 000 come, against without batches.

    Batches come one after the other over one connection. Without `wrk` the row is left out: our
    own generator would slow the single checks that it sends.
    """
    title = f"p99 of single checks during batches of {spaced(FULL)}, against without"
    program = which("wrk")
    if program is None:
        return [Row(title=title, lacks="the Debian package wrk")]
    key, seconds = ground.run.key, max(2.0, ground.plan.round_seconds)
    asking = PacedQuestions(
        port=ground.run.port,
        requests=[check_request(each, key) for each in innocents(ground.population)],
        per_second=SINGLES_PER_SECOND,
        connections=ground.plan.connections,
    )
    load = ClosedLoad(
        port=ground.run.port,
        requests=batches(ground.population, key, persons=FULL, requests=4),
        connections=1,
    )
    _ask(asking, WARM_UP_SECONDS)
    without: list[Latencies] = []
    during: list[Latencies] = []
    with wrk_command(program, load, seconds) as command:
        for _ in range(ground.plan.rounds):
            without.append(_ask(asking, seconds))
            during.append(_beside(command, lambda: _ask(asking, seconds)))
    value = [slow.p99_ms / quick.p99_ms for slow, quick in zip(during, without, strict=True)]
    of_medians = median(one.p99_ms for one in during) / median(one.p99_ms for one in without)
    return [
        Row(
            title=title,
            value=Spread(median=of_medians, low=min(value), high=max(value)),
            ours=_side("during batches", during, seconds),
            theirs=_side("without", without, seconds),
            at_most=BESIDE_GOAL,
        )
    ]


def _beside(command: list[str], ask: Callable[[], Latencies]) -> Latencies:
    """Return the latencies of questions that are asked while `wrk` sends batches."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sending:
        try:
            asked = ask()
            output, _ = sending.communicate(timeout=60)
        finally:
            sending.kill()
    if sending.returncode:
        raise ChildError(f"wrk failed: {output}")
    wrk_round(output)
    return asked


def _ask(asking: PacedQuestions, seconds: float) -> Latencies:
    ends_at = perf_counter() + seconds
    return uvloop.run(ask_until(asking, lambda: perf_counter() >= ends_at))


def _side(name: str, rounds: list[Latencies], seconds: float) -> RowSide:
    reports = [
        LoadRound(answers=one.count, seconds=seconds, p50_ms=one.p50_ms, p99_ms=one.p99_ms)
        for one in rounds
    ]
    return RowSide.of(name, reports)


def _send(ground: Ground, port: int, key: str) -> Send:
    load = ClosedLoad(
        port=port,
        requests=batches(ground.population, key, persons=PERSONS, requests=REQUESTS),
        connections=BATCH_CONNECTIONS,
    )
    return load.send
