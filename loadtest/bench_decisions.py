"""Measures adverse checks, which are kept before they are answered, and the export of the log.

The baseline commits an INSERT for each request, in a database of its own on the same PostgreSQL.
Rounds go in turn. Everybody asked about in them was asked about before, and had to be denied;
besides, a crowd that is half listed is compared with the truth.
"""

import http.client
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from time import perf_counter

import msgspec

from loadtest.answers import WrongAnswersError
from loadtest.bench_checks import (
    CROWD,
    SERVICE,
    ServiceRun,
    alternate,
    check_request,
    service_run,
    verify,
)
from loadtest.committed_inserts import committed_inserts
from loadtest.crowd import CrowdSubject, ListForm
from loadtest.decisions_report import DecisionsReport
from loadtest.figures import Figures
from loadtest.generator import LOOPBACK, Load, post
from loadtest.kept_decisions import keep_many
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.workers import largest, replicas_at

EXPORT_SECONDS_MAX = 600.0
_READ_BYTES = 1 << 20
_KEPT = frozenset({201})


class DecisionsPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The loads to send, and for how long."""

    seed: int
    listings: int
    decisions: int
    workers: int
    rounds: int
    round_seconds: float
    connections: int


def measure_decisions(
    plan: DecisionsPlan, folder: Path, now: datetime, today: date
) -> DecisionsReport:
    """Measure in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    crowd = population.crowd(CROWD, 1.0, form=ListForm.ZXGK)
    denied = [subject for subject in crowd if subject.expected(today) == "deny"]
    with ExitStack() as stack:
        run = stack.enter_context(service_run(population, folder, workers=plan.workers))
        port = stack.enter_context(committed_inserts(run, folder, plan.workers))
        verify(population, run.port, run.key, today)
        _have_denied(run, denied)
        adverse, baseline = alternate(
            _load(plan, run.port, [check_request(each, run.key) for each in denied]),
            _load(plan, port, [_order(each) for each in denied]),
            plan.rounds,
        )
        fill_seconds = keep_many(run.data / "postgres", plan.decisions)
        workers = list(replicas_at(run.port))
        before = largest(workers).rss_mib
        export = _export(run, workers, plan.decisions)
        return DecisionsReport(
            origin=Origin.here(now),
            listings=plan.listings,
            workers=plan.workers,
            connections=plan.connections,
            round_seconds=plan.round_seconds,
            adverse=Figures.of(adverse),
            baseline=Figures.of(baseline, statuses=_KEPT),
            exported=export.rows,
            fill_seconds=fill_seconds,
            export_seconds=export.seconds,
            export_bytes=export.bytes,
            worker_before_mib=before,
            worker_peak_mib=export.worker_peak_mib,
        )


class _Export(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    bytes: int
    seconds: float
    worker_peak_mib: float


def _export(run: ServiceRun, workers: Sequence[int], at_least: int) -> _Export:
    """Read the whole log as an auditor does; WrongAnswersError where rows are missing."""
    connection = http.client.HTTPConnection(LOOPBACK, run.port, timeout=EXPORT_SECONDS_MAX)
    began_at = perf_counter()
    authorization = {"Authorization": f"Bearer {run.new_key('auditor')}"}
    connection.request("GET", "/v1/decisions/export", headers=authorization)
    answer = connection.getresponse()
    rows = size = 0
    peak_mib = 0.0
    while read := answer.read(_READ_BYTES):
        rows += read.count(b"\n")
        size += len(read)
        peak_mib = max(peak_mib, largest(workers).rss_mib)
    seconds = perf_counter() - began_at
    connection.close()
    if answer.status != 200 or rows < at_least:
        raise WrongAnswersError(f"{rows} rows of at least {at_least}, status {answer.status}")
    return _Export(rows=rows, bytes=size, seconds=seconds, worker_peak_mib=peak_mib)


def _have_denied(run: ServiceRun, subjects: Sequence[CrowdSubject]) -> None:
    """Ask about everybody once; WrongAnswersError where somebody is not denied."""
    batch = {"service": SERVICE, "subjects": [subject.request() for subject in subjects]}
    connection = http.client.HTTPConnection(LOOPBACK, run.port, timeout=EXPORT_SECONDS_MAX)
    headers = {"Authorization": f"Bearer {run.key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/checks/batch", body=msgspec.json.encode(batch), headers=headers)
    told = msgspec.json.decode(connection.getresponse().read())
    connection.close()
    wrong = [each for each in told["results"] if each.get("decision") != "deny"]
    if wrong or len(told["results"]) != len(subjects):
        raise WrongAnswersError(f"{len(wrong)} of {len(subjects)} are not denied")


def _order(subject: CrowdSubject) -> bytes:
    service = {"type": "air", "venue": "none", "amount_fen": 1}
    body = {"subject": subject.request(), "service": service, "reference": "ORDER"}
    return post("/orders", msgspec.json.encode(body))


def _load(plan: DecisionsPlan, port: int, requests: list[bytes]) -> Load:
    return Load(
        port=port, requests=requests, connections=plan.connections, seconds=plan.round_seconds
    )
