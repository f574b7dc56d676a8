"""Measures single checks: the service on embedded servers against the FastAPI baseline, in turn.

The same list and the same people for both. Before anything is timed, the service's answers are
compared with the truth about the people: a fast wrong answer is no figure.
"""

import http.client
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import redis

from checker.embedded.redis import embedded_redis
from loadtest.answers import WrongAnswersError
from loadtest.baseline_fastapi import REDIS_URL_VARIABLE, baseline_key
from loadtest.bench_report import ChecksReport
from loadtest.children import (
    START_SECONDS,
    Child,
    checker_program,
    finished,
    free_port,
    is_well,
    listens,
    started,
)
from loadtest.crowd import CrowdSubject, ListForm
from loadtest.figures import Figures
from loadtest.generator import LOOPBACK, Load, LoadReport, post, send_on_uvloop
from loadtest.origin import Origin
from loadtest.population import Population

COMMAND_SECONDS = 900.0
"""The longest command is the import of the largest list that is measured."""

CROWD = 2000
VERIFIED = 200
"""Of a crowd that is half listed, so that all decisions come up."""

WARM_UP_SECONDS = 1.0
KEYS_AT_ONCE = 1000
SERVICE = {"type": "air", "flight": "CZ3101"}
_OWN_SERVERS = frozenset({"REDIS_URL", "DATABASE_URL", "CHECKER_CONFIG", "CHECKER_DATA_DIR"})


class ChecksPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The loads to send, and for how long."""

    seed: int
    listings: int
    listed_share: float
    rounds: int
    round_seconds: float
    connections: int


def measure_checks(plan: ChecksPlan, folder: Path, now: datetime, today: date) -> ChecksReport:
    """Measure both servers in turn, in a folder of their own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    crowd = list(population.crowd(CROWD, plan.listed_share, form=ListForm.ZXGK))
    with ExitStack() as stack:
        run = stack.enter_context(service_run(population, folder))
        baseline_port = stack.enter_context(baseline(population, folder))
        verify(population, run.port, run.key, today)
        service_load = _load(plan, run.port, [check_request(subject, run.key) for subject in crowd])
        baseline_load = _load(plan, baseline_port, [baseline_request(one) for one in crowd])
        mine, theirs = alternate(service_load, baseline_load, plan.rounds)
    return ChecksReport(
        origin=Origin.here(now),
        listings=plan.listings,
        crowd=CROWD,
        listed_share=plan.listed_share,
        connections=plan.connections,
        round_seconds=plan.round_seconds,
        verified_answers=VERIFIED,
        service=Figures.of(mine),
        baseline=Figures.of(theirs),
    )


def alternate(first: Load, second: Load, rounds: int) -> tuple[list[LoadReport], list[LoadReport]]:
    """Send both loads in turn, so that other work of the machine slows both."""
    for load in (first, second):
        send_on_uvloop(msgspec.structs.replace(load, seconds=WARM_UP_SECONDS))
    pairs = [(send_on_uvloop(first), send_on_uvloop(second)) for _ in range(rounds)]
    return [mine for mine, _ in pairs], [theirs for _, theirs in pairs]


class ServiceRun(msgspec.Struct, frozen=True, kw_only=True):
    """A service at work: where it listens and keeps its things, and an institution's key."""

    port: int
    key: str
    data: Path
    child: Child

    def new_key(
        self, role: str, name: str | None = None, *, quota: int = 0, daily_quota: int = 0
    ) -> str:
        """Make a key of the account of a name (of the role's own unless said), with limits of items
        a minute and a day; 0: without.
        """
        return _new_key(self.data, role, name or f"bench {role}", (quota, daily_quota))


@contextmanager
def service_run(
    population: Population, folder: Path, *, workers: int = 1, settings: str | None = None
) -> Iterator[ServiceRun]:
    """Run the service with the population as its list; `settings` are those of its config file."""
    checker, data, port = str(checker_program()), folder / "data", free_port()
    env = service_environment(os.environ)
    published = folder / "list.ndjson"
    with published.open("wb") as file:
        file.writelines(population.zxgk_lines())
    serve = [checker, "serve", "--host", LOOPBACK, "--port", str(port), "--workers", str(workers)]
    if settings is not None:
        file = folder / "settings.toml"
        file.write_text(settings, encoding="utf-8")
        serve += ["--config", str(file)]
    with started([*serve, "--data-dir", str(data)], folder / "serve.log", env=env) as child:
        child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
        load = [checker, "import", str(published), "--format", "zxgk", "--snapshot"]
        finished([*load, "--data-dir", str(data)], env=env, seconds=COMMAND_SECONDS)
        key = _new_key(data, "institution", "bench institution")
        child.wait_until(lambda: is_well(port, "/readyz"), what="ready", seconds=START_SECONDS)
        yield ServiceRun(port=port, key=key, data=data, child=child)


@contextmanager
def second_server(run: ServiceRun, folder: Path, *, workers: int) -> Iterator[int]:
    """Run one more server on the same data; gives its port."""
    port = free_port()
    serve = [str(checker_program()), "serve", "--host", LOOPBACK, "--port", str(port)]
    options = ["--workers", str(workers), "--data-dir", str(run.data)]
    env = service_environment(os.environ)
    with started([*serve, *options], folder / "second.log", env=env) as child:
        child.wait_until(lambda: is_well(port, "/readyz"), what="ready", seconds=START_SECONDS)
        yield port


def _new_key(data: Path, role: str, name: str, limits: tuple[int, int] = (0, 0)) -> str:
    create = [str(checker_program()), "keys", "create", "--role", role, "--name", name]
    quotas = ["--quota", str(limits[0]), "--daily-quota", str(limits[1])]
    command = [*create, *quotas, "--data-dir", str(data)]
    env = service_environment(os.environ)
    return finished(command, env=env, seconds=COMMAND_SECONDS).strip()


@contextmanager
def baseline(population: Population, folder: Path) -> Iterator[int]:
    """Run the baseline on a Redis of its own with everybody on the list; gives its port."""
    port = free_port()
    uvicorn = [sys.executable, "-m", "uvicorn", "loadtest.baseline_fastapi:app", "--workers", "1"]
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--port", str(port)]
    with ExitStack() as stack:
        url = stack.enter_context(embedded_redis(folder / "baseline-redis"))
        fill_baseline(population, url)
        env = {**os.environ, REDIS_URL_VARIABLE: url}
        child = stack.enter_context(started([*uvicorn, *options], folder / "uvicorn.log", env=env))
        child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
        yield port


def fill_baseline(population: Population, url: str) -> None:
    """Write a key to Redis for each person that the list reaches."""
    with redis.Redis.from_url(url) as client:
        pipe = client.pipeline(transaction=False)
        for holder in population.holders(ListForm.ZXGK):
            document = holder.documents[0]
            pipe.set(baseline_key(document.type, document.number), b"1")
            if len(pipe) >= KEYS_AT_ONCE:
                pipe.execute()
        pipe.execute()


def verify(population: Population, port: int, key: str, today: date) -> None:
    """Compare answers with the truth; WrongAnswersError names how many differ, and nobody."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    wrong: list[str] = []
    for subject in population.crowd(VERIFIED, 0.5, form=ListForm.ZXGK):
        connection.request(
            "POST",
            "/v1/checks",
            body=check_body(subject),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        content: dict[str, Any] = msgspec.json.decode(answer.read())
        expected, given = subject.expected(today), content.get("decision", answer.status)
        if given != expected:
            wrong.append(f"{given} instead of {expected}")
    connection.close()
    if wrong:
        raise WrongAnswersError(f"{len(wrong)} of {VERIFIED} answers are wrong: {set(wrong)}")


def check_body(subject: CrowdSubject) -> bytes:
    """Write a check of a service that is closed to all five roles."""
    return msgspec.json.encode({"subject": subject.request(), "service": SERVICE})


def check_request(subject: CrowdSubject, key: str) -> bytes:
    """Build the bytes of a check by the contract."""
    return post("/v1/checks", check_body(subject), key=key)


def baseline_request(subject: CrowdSubject) -> bytes:
    """Build the bytes of the same question to the baseline."""
    return post("/checks", msgspec.json.encode(subject.document))


def service_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without servers, settings or data other than the benchmark's own."""
    return {name: value for name, value in environment.items() if name not in _OWN_SERVERS}


def _load(plan: ChecksPlan, port: int, requests: list[bytes]) -> Load:
    return Load(
        port=port, requests=requests, connections=plan.connections, seconds=plan.round_seconds
    )
