"""Measures the export of a log of a million decisions, as an auditor reads it."""

import http.client
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from time import perf_counter

import msgspec

from loadtest.answers import WrongAnswersError
from loadtest.export_report import ExportReport
from loadtest.generator import LOOPBACK
from loadtest.kept_decisions import keep_many
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.questions import verify
from loadtest.service import ServiceRun, service_run
from loadtest.workers import largest, replicas_at

EXPORT_SECONDS_MAX = 600.0
_READ_BYTES = 1 << 20


class ExportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The size of the list and of the log, and the number of workers."""

    seed: int
    listings: int
    decisions: int
    workers: int


def measure_export(plan: ExportPlan, folder: Path, now: datetime, today: date) -> ExportReport:
    """Measure in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    with service_run(population, folder, workers=plan.workers) as run:
        verify(population, run.port, run.key, today)
        fill_seconds = keep_many(run.data / "postgres", plan.decisions)
        workers = list(replicas_at(run.port))
        before = largest(workers).rss_mib
        export = _export(run, workers, plan.decisions)
        return ExportReport(
            origin=Origin.here(now),
            listings=plan.listings,
            workers=plan.workers,
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
    """Read the whole log as an auditor does.

    Raises:
        WrongAnswersError: rows are missing.
    """
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
