"""Measures changes at a rate: the time until the answer "in force on every node".

Two servers of two workers each run on the same data: four nodes. Changes go to both in turn. Each
request has one change: a person is listed, and later delisted. After each answer the other server
is asked about the person at once, and has to deny or allow. The lines take turns, so that all
workers are asked. After a wrong answer there is no figure. Half of these checks are adverse.

The second server has just started. In the first seconds connections open and statements are
prepared, so these seconds are reported apart.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import uvloop

from checker.domain.clock import shanghai_day
from loadtest.answers import WrongAnswersError
from loadtest.bench_report import ChangesReport
from loadtest.crowd import CrowdSubject
from loadtest.generator import post
from loadtest.holders import SyntheticPerson
from loadtest.origin import Origin
from loadtest.paced import Latencies, Lines, keep_rate, lines
from loadtest.population import Population
from loadtest.questions import check_body
from loadtest.service import ServiceRun, second_server, service_run

WORKERS = 2
CHECK_CONNECTIONS = 16
"""Of each server; enough that every worker has some."""

COLD_SECONDS = 3.0

FEED = "/v1/feed/changes"


class ChangesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The loads to send, and for how long."""

    seed: int
    listings: int
    rate: float
    seconds: float
    connections: int


class MeasuredChange(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, and the decision on the person once the operation is in force."""

    subject: CrowdSubject
    is_listing: bool
    line: bytes

    @property
    def decision(self) -> str:
        """The decision on the person after the change."""
        return "deny" if self.is_listing else "allow"


class Changes:
    """Lists people who are on no list, and delists them in the same order, one for one."""

    def __init__(self, strangers: Iterator[CrowdSubject], today: date) -> None:
        self._strangers = strangers
        self._today = today
        self._in_force: deque[CrowdSubject] = deque()
        self._was_listing = False

    def next(self) -> MeasuredChange:
        """Return the next change: in turn a new person's listing, and the oldest delisting."""
        if self._was_listing and self._in_force:
            self._was_listing = False
            subject = self._in_force.popleft()
            operation = delisting_of(subject, self._today)
            return MeasuredChange(subject=subject, is_listing=False, line=_line(operation))
        self._was_listing = True
        subject = next(self._strangers)
        operation = listing_of(subject, self._today)
        return MeasuredChange(subject=subject, is_listing=True, line=_line(operation))

    def settled(self, change: MeasuredChange) -> None:
        """Note that a change is in force: a listed person may be delisted now."""
        if change.is_listing:
            self._in_force.append(change.subject)


def strangers(population: Population, size: int) -> Iterator[CrowdSubject]:
    """Yield people on no list, each once, asked about by their resident ID alone."""
    return strangers_in(population.crowd(size, 0.0))


def strangers_in(crowd: Iterable[CrowdSubject]) -> Iterator[CrowdSubject]:
    """Yield the people of a crowd who have a resident ID, asked about by the ID alone."""
    for subject in crowd:
        if isinstance(subject.holder, SyntheticPerson) and subject.holder.resident_id:
            plain = subject.holder.documents[0]
            yield msgspec.structs.replace(subject, document=plain, name=None)


def listing_of(subject: CrowdSubject, today: date) -> dict[str, Any]:
    """Return the operation that lists a person (contract, section 5)."""
    document = {"type": subject.document.type.value, "number": subject.document.number}
    return {
        "op": "list",
        "listing": {
            "id": f"bench-{subject.holder.index}",
            "case_number": f"（2026）粤0882执{subject.holder.index}号",
            "court": "雷州市人民法院",
            "filed_on": today,
            "published_on": today,
            "expires_on": None,
            "public": True,
            "party": {"type": "person", "name": subject.holder.name, "documents": [document]},
            "officers": [],
        },
    }


def delisting_of(subject: CrowdSubject, today: date) -> dict[str, Any]:
    """Return the operation that delists a person."""
    listing_id = f"bench-{subject.holder.index}"
    return {"op": "delist", "listing_id": listing_id, "ground": "fulfilled", "on": today}


def measure_changes(plan: ChangesPlan, folder: Path, now: datetime, today: date) -> ChangesReport:
    """Measure in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    with service_run(population, folder, workers=WORKERS) as run:
        return changes_in_force(plan, run, population, folder, now)


def changes_in_force(
    plan: ChangesPlan, run: ServiceRun, population: Population, folder: Path, now: datetime
) -> ChangesReport:
    """Measure changes on a service of two workers, and on a second server of the same data.

    Raises:
        WrongAnswersError: an answer is wrong.
    """
    today = shanghai_day(now)
    with second_server(run, folder, workers=WORKERS) as second:
        ports = (run.port, second)
        size = int(plan.rate * (COLD_SECONDS + plan.seconds)) + 1
        bench = _Bench(
            changes=Changes(strangers(population, 2 * size + 100), today),
            court_key=run.new_key("court"),
            institution_key=run.key,
        )
        uvloop.run(bench.run(plan, ports))
    if bench.wrong:
        raise WrongAnswersError(f"{len(bench.wrong)} answers are wrong: {set(bench.wrong)}")
    return ChangesReport(
        origin=Origin.here(now),
        listings=plan.listings,
        servers=len(ports),
        workers=WORKERS,
        rate=plan.rate,
        seconds=plan.seconds,
        connections=plan.connections,
        verified_answers=bench.verified,
        listed=Latencies.of(bench.seconds[True]),
        delisted=Latencies.of(bench.seconds[False]),
        all=Latencies.of(bench.seconds[True] + bench.seconds[False]),
        cold=Latencies.of(bench.cold_seconds),
    )


class _Bench:
    """One measurement in progress."""

    def __init__(self, *, changes: Changes, court_key: str, institution_key: str) -> None:
        self._changes = changes
        self._court_key = court_key
        self._institution_key = institution_key
        self.seconds = {True: array("d"), False: array("d")}
        self.cold_seconds = array("d")
        self.verified = 0
        self.wrong: list[str] = []

    async def run(self, plan: ChangesPlan, ports: tuple[int, ...]) -> None:
        async with AsyncExitStack() as stack:
            feeds = [
                await stack.enter_async_context(lines(port, plan.connections)) for port in ports
            ]
            checks = [
                await stack.enter_async_context(lines(port, CHECK_CONNECTIONS)) for port in ports
            ]
            warm_at = perf_counter() + COLD_SECONDS
            ends_at = warm_at + plan.seconds

            async def act(number: int) -> None:
                change = self._changes.next()
                # Lists and delistings alternate: each kind goes to both.
                server = number // 2 % len(ports)
                began_at = perf_counter()
                answer = await feeds[server].ask(post(FEED, change.line, key=self._court_key))
                kept = self.cold_seconds if began_at < warm_at else self.seconds[change.is_listing]
                kept.append(perf_counter() - began_at)
                told = msgspec.json.decode(answer.body)
                if answer.status != 200 or told["accepted"] != 1:
                    raise WrongAnswersError(f"a change was answered {answer.status}: {told}")
                await self._verify(change, checks[server - 1])
                self._changes.settled(change)

            await keep_rate(plan.rate, lambda: perf_counter() >= ends_at, act)

    async def _verify(self, change: MeasuredChange, open_lines: Lines) -> None:
        request = post("/v1/checks", check_body(change.subject), key=self._institution_key)
        answer = await open_lines.ask(request)
        given = msgspec.json.decode(answer.body).get("decision", answer.status)
        self.verified += 1
        if given != change.decision:
            self.wrong.append(f"{given} instead of {change.decision}")


def _line(operation: dict[str, Any]) -> bytes:
    return msgspec.json.encode(operation) + b"\n"
