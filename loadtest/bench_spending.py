"""Measures spending under caps: different persons, one person of many merchants, a long past.

Two services have the same list. The first has no spending. In the other PostgreSQL writes millions
of past steps (`loadtest.past_spending`). The baseline commits an INSERT for each request, in a
database of its own on the PostgreSQL of the first service. The servers take turns.

Every answer is read and compared with the contract. After a wrong answer there is no figure. In the
end the sums of the one person equal the counts of the merchants, and `checker audit verify` finds
no fault.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from itertools import count, cycle, repeat
from pathlib import Path
from time import perf_counter

import msgspec
import uvloop

from loadtest.answers import WrongAnswersError
from loadtest.baselines.running import BaselinePlace, committed_inserts
from loadtest.children import checker_program, finished
from loadtest.document_numbers import SyntheticDocument
from loadtest.figures import Figures
from loadtest.generator import LoadReport, Talk, converse
from loadtest.merchants import (
    MORE_THAN_ANY_CAP_FEN,
    MerchantSpending,
    MerchantTally,
    Till,
    debtors,
    held_within,
    orders,
    read,
    sales,
    sales_to_one,
)
from loadtest.origin import Origin
from loadtest.past_spending import put_in_the_past
from loadtest.population import Population
from loadtest.service import COMMAND_SECONDS, ServiceRun, service_environment, service_run
from loadtest.spending_report import SpendingReport

CAP_FEN = 200_000
"""Of a month: two hundred sales, so that one person's cap is reached within a second."""

SETTINGS = f"""
[jurisdiction.CN]
resort_cap_fen = {CAP_FEN}
resort_cap_period = "month"
"""
WARM_UP_SECONDS = 1.0
COMMANDS_AT_ONCE = 4
"""More processes that start at once would only wait for each other."""

SOLD = frozenset({200, 201})
KEPT = frozenset({201})

IsOver = Callable[[], bool]
Rounds = list[LoadReport]


class SpendingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The loads to send, and for how long."""

    seed: int
    listings: int
    past_steps: int
    workers: int
    rounds: int
    round_seconds: float
    connections: int
    merchants: int


def measure_spending(
    plan: SpendingPlan, folder: Path, now: datetime, today: date
) -> SpendingReport:
    """Measure in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    one, *others = debtors(population, today)
    place = BaselinePlace(folder=folder, population=population, workers=plan.workers)
    with ExitStack() as stack:
        fresh, past = (
            stack.enter_context(_service(population, folder / name, plan.workers))
            for name in ("fresh", "past")
        )
        baseline = stack.enter_context(committed_inserts(fresh.data / "postgres", place))
        past_steps, fill_seconds = put_in_the_past(past.data / "postgres", plan.past_steps, CAP_FEN)
        bench = SpendingBench(others)
        alone, theirs, with_past = _in_turn(
            plan,
            bench.to_different([fresh.key] * plan.connections, fresh.port),
            bench.to_baseline(baseline, plan.connections),
            bench.to_different([past.key] * plan.connections, past.port),
        )
        keys = _keys(fresh, plan.merchants)
        many, also_theirs, hot = _in_turn(
            plan,
            bench.to_different(keys, fresh.port),
            bench.to_baseline(baseline, plan.merchants),
            bench.to_one(one, keys, fresh.port),
        )
        spent = bench.spent_by(one, fresh)
        _prove(fresh)
    return SpendingReport(
        origin=Origin.here(now),
        listings=plan.listings,
        persons=len(others),
        workers=plan.workers,
        connections=plan.connections,
        merchants=plan.merchants,
        round_seconds=plan.round_seconds,
        past_steps=past_steps,
        fill_seconds=fill_seconds,
        fresh=Figures.of(alone, statuses=SOLD),
        baseline=Figures.of(theirs, statuses=KEPT),
        with_past=Figures.of(with_past, statuses=SOLD),
        different=Figures.of(many, statuses=SOLD),
        different_baseline=Figures.of(also_theirs, statuses=KEPT),
        one=Figures.of(hot, statuses=SOLD | {409}),
        one_max_ms=max(report.max_ms for report in hot),
        tally=bench.tally,
        spent=spent,
    )


class SpendingLoad(msgspec.Struct, frozen=True, kw_only=True):
    """The port, and a function that makes the talks of one round; `IsOver` tests its end."""

    port: int
    talks: Callable[[IsOver], list[Talk]]


class SpendingBench:
    """The sales of one measurement: the numbers of orders, and the counts of the merchants."""

    def __init__(self, persons: Sequence[SyntheticDocument]) -> None:
        self._persons = persons
        self._numbers = count()
        self.tally = MerchantTally()

    def to_different(self, keys: Sequence[str], port: int) -> SpendingLoad:
        """Sell to different persons, over a connection for each key."""
        persons = cycle(self._persons)
        tills = [Till(key, self._numbers) for key in keys]
        return SpendingLoad(
            port=port, talks=lambda is_over: [sales(till, persons, is_over) for till in tills]
        )

    def to_baseline(self, port: int, connections: int) -> SpendingLoad:
        """Order from the baseline for the same persons."""
        persons = cycle(self._persons)
        return SpendingLoad(
            port=port,
            talks=lambda is_over: [orders(persons, is_over) for _ in range(connections)],
        )

    def to_one(self, person: SyntheticDocument, keys: Sequence[str], port: int) -> SpendingLoad:
        """Sell to one person, over a connection for each key."""
        tills = [Till(key, self._numbers) for key in keys]
        return SpendingLoad(
            port=port,
            talks=lambda is_over: [
                sales_to_one(till, person, self.tally, is_over) for till in tills
            ],
        )

    def spent_by(self, person: SyntheticDocument, run: ServiceRun) -> MerchantSpending:
        """Return the spending of the one person, proved equal to what the merchants captured."""
        told: list[MerchantSpending] = []

        def ask() -> Talk:
            till = Till(run.key, self._numbers)
            status, refusal = read((yield till.authorize(person, MORE_THAN_ANY_CAP_FEN)))
            if status != 409:
                raise WrongAnswersError(f"more than the cap was answered {status}")
            told.append(held_within(refusal.spending))

        send_sales(SpendingLoad(port=run.port, talks=lambda _: [ask()]), WARM_UP_SECONDS)
        if not told or (told[0].held_fen, told[0].captured_fen) != (0, self.tally.captured_fen):
            raise WrongAnswersError(f"{told} is kept, {self.tally.captured_fen} fen were captured")
        return told[0]


def _in_turn(plan: SpendingPlan, *loads: SpendingLoad) -> list[Rounds]:
    """Return the rounds of each load. The loads take turns, so noise hits all alike."""
    for load in loads:
        send_sales(load, WARM_UP_SECONDS)
    rounds: list[Rounds] = [[] for _ in loads]
    for _ in range(plan.rounds):
        for load, reports in zip(loads, rounds, strict=True):
            reports.append(send_sales(load, plan.round_seconds))
    return rounds


def send_sales(load: SpendingLoad, seconds: float) -> LoadReport:
    """Send a load for some seconds. Each talk ends with its current sale."""
    ends_at = perf_counter() + seconds
    talks = load.talks(lambda: perf_counter() >= ends_at)
    return uvloop.run(converse(load.port, talks, seconds_max=seconds))


@contextmanager
def _service(population: Population, folder: Path, workers: int) -> Iterator[ServiceRun]:
    folder.mkdir()
    with service_run(population, folder, workers=workers, settings=SETTINGS) as run:
        yield run


def _keys(run: ServiceRun, merchants: int) -> list[str]:
    """Return the keys of as many new accounts."""
    names = [f"bench merchant {number}" for number in range(merchants)]
    with ThreadPoolExecutor(COMMANDS_AT_ONCE) as pool:
        return list(pool.map(run.new_key, repeat("institution"), names))


def _prove(run: ServiceRun) -> None:
    """Verify the record.

    Raises:
        ChildError: the verification found a fault.
    """
    command = [str(checker_program()), "audit", "verify", "--data-dir", str(run.data)]
    finished(command, seconds=COMMAND_SECONDS, env=service_environment(os.environ))
