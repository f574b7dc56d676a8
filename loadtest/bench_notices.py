"""Measures notices: from the change that ends restrictions to the last notice of the end.

A server has two workers, and each institution has an endpoint. Some endpoints hang: they take a
message and never answer. All institutions ask about the same people, and one feed delists these
people. The time runs from the answer of the feed to the last notice at an endpoint that does not
hang. If a notice is missing, or does not verify by its secret, there is no figure.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter

import httpx
import msgspec
import uvloop
from standardwebhooks import Webhook

from loadtest.answers import WrongAnswersError
from loadtest.bench_changes import FEED, delisting_of, listing_of, strangers
from loadtest.children import checker_program, finished, free_port
from loadtest.crowd import CrowdSubject
from loadtest.generator import LOOPBACK
from loadtest.notice_endpoints import Endpoints, listening
from loadtest.notices_report import NoticesReport
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.questions import SERVICE
from loadtest.service import COMMAND_SECONDS, service_environment, service_run

WORKERS = 2
KEYS_AT_ONCE = 2
"""Each command is a process that takes a second of a processor."""

TOLD_SECONDS_MAX = 30.0
SETTINGS = "[notices]\nallow_http = true\nallow_private_addresses = true\n"


class NoticesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The number of notices, spread evenly over endpoints, of which some hang."""

    seed: int
    listings: int
    endpoints: int
    hanging: int
    notices: int

    @property
    def people(self) -> int:
        """The number of people who are refused everywhere, and then delisted."""
        return self.notices // self.endpoints

    @property
    def expected(self) -> int:
        """The number of notices that can be acknowledged."""
        return self.people * (self.endpoints - self.hanging)


def measure_notices(plan: NoticesPlan, folder: Path, now: datetime, today: date) -> NoticesReport:
    """Measure in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    people = list(islice(strangers(population, 4 * plan.people + 100), plan.people))
    data = folder / "data"
    data.mkdir(mode=0o700)
    (data / "config.toml").write_text(SETTINGS, encoding="utf-8")
    with ExitStack() as stack:
        run = stack.enter_context(service_run(population, folder, workers=WORKERS))
        with ThreadPoolExecutor(KEYS_AT_ONCE) as pool:
            names = [f"bench endpoint {number}" for number in range(plan.endpoints)]
            keys = list(pool.map(lambda name: _new_key(run.data, name), names))
        court = stack.enter_context(_client(run.port, run.new_key("court")))
        clients = [stack.enter_context(_client(run.port, key)) for key in keys]
        return uvloop.run(_measure(plan, people, court, clients, (now, today)))


async def _measure(
    plan: NoticesPlan,
    people: list[CrowdSubject],
    court: httpx.Client,
    clients: list[httpx.Client],
    moment: tuple[datetime, date],
) -> NoticesReport:
    now, today = moment
    port = free_port()
    endpoints = Endpoints(frozenset(range(plan.hanging)), plan.expected)
    async with listening(port, endpoints):
        secrets = [
            _sent(client.put("/v1/webhook", json={"url": f"http://{LOOPBACK}:{port}/{number}"}))[
                "secret"
            ]
            for number, client in enumerate(clients)
        ]
        _feed(court, [listing_of(each, today) for each in people])
        for client in clients:
            _be_refused(client, people)
        sent_at = perf_counter()
        await asyncio.to_thread(_feed, court, [delisting_of(each, today) for each in people])
        answered_at = perf_counter()
        try:
            async with asyncio.timeout(TOLD_SECONDS_MAX):
                await endpoints.complete.wait()
        except TimeoutError:
            raise WrongAnswersError(f"{len(endpoints.notices)} of {plan.expected} told") from None
    for notice in endpoints.notices.values():
        Webhook(secrets[notice.endpoint]).verify(notice.body, notice.headers)
    return NoticesReport(
        origin=Origin.here(now),
        listings=plan.listings,
        workers=WORKERS,
        endpoints=plan.endpoints,
        hanging=plan.hanging,
        notices=plan.people * plan.endpoints,
        told=len(endpoints.notices),
        repeated=endpoints.messages - len(endpoints.notices),
        feed_seconds=answered_at - sent_at,
        told_seconds=endpoints.last_at - answered_at,
    )


def _be_refused(client: httpx.Client, people: list[CrowdSubject]) -> None:
    batch = {"service": SERVICE, "subjects": [each.request() for each in people]}
    told = _sent(client.post("/v1/checks/batch", content=msgspec.json.encode(batch)))
    decisions = {each.get("decision") for each in told["results"]}
    if decisions != {"deny"}:
        raise WrongAnswersError(f"before the delisting: {decisions}")


def _feed(court: httpx.Client, operations: list[dict[str, object]]) -> None:
    lines = b"".join(msgspec.json.encode(each) + b"\n" for each in operations)
    if _sent(court.post(FEED, content=lines))["accepted"] != len(operations):
        raise WrongAnswersError("a change was not accepted")


def _sent(response: httpx.Response) -> dict[str, object]:
    if response.status_code != httpx.codes.OK:
        raise WrongAnswersError(f"{response.request.url.path} answered {response.status_code}")
    told: dict[str, object] = response.json()
    return told


def _client(port: int, key: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"http://{LOOPBACK}:{port}", headers=headers, timeout=60)


def _new_key(data: Path, name: str) -> str:
    create = [str(checker_program()), "keys", "create", "--role", "institution", "--name", name]
    command = [*create, "--quota", "0", "--data-dir", str(data)]
    environment = service_environment(os.environ)
    return finished(command, env=environment, seconds=COMMAND_SECONDS).strip()
