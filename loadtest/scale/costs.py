"""Measures what a request costs each process of a service, and the bytes that a row takes on disk.

    python -m loadtest.scale.costs           prints the costs
    python -m loadtest.scale.costs --keep    writes a report into loadtest/reports/ too

`loadtest/scale/measured.toml` names these reports as its sources. A service of one worker is driven
by 16 connections. The processor time of each process is read before and after. Processor time is
steadier than speed, but a machine with other work makes it longer too.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from timeit import timeit

import asyncpg
import msgspec
import psutil
import redis
import uvloop

from cache.token import Tokenizer
from checker.domain.clock import shanghai_day
from loadtest.bench_report import REPORTS, keep_as
from loadtest.bench_spending import SETTINGS, SOLD, SpendingBench, send_sales
from loadtest.closed_load import ClosedLoad, LoadRound
from loadtest.crowd import CrowdSubject
from loadtest.merchants import debtors
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.questions import check_request, denied, innocents, verify_denied
from loadtest.service import ServiceRun, second_server, service_run
from loadtest.workers import replicas_at

WARM_UP_SECONDS = 1.0
IDLE_SECONDS = 5.0
CONNECTIONS = 16
MORE_WORKERS = 4
CHAINED_SECONDS = 1.0
YARDSTICK_CALLS = 50_000
SETTLED_SECONDS_MAX = 60.0

_DATABASE_BYTES = "SELECT pg_database_size(current_database())"
_EMPTY_BYTES = "SELECT pg_database_size('template1')"
_UNCHAINED = """
SELECT (SELECT count(*) FROM unchained) + (SELECT count(*) FROM journal WHERE number IS NULL)"""


class ProcessorSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """The processor time of each part of a service, in seconds."""

    worker: float
    publisher: float
    postgres: float
    redis: float

    def less(self, other: "ProcessorSeconds", share: float = 1.0) -> "ProcessorSeconds":
        """Return the difference to a share of another time; no part is below zero."""
        parts = {
            name: max(0.0, getattr(self, name) - share * getattr(other, name))
            for name in self.__struct_fields__
        }
        return ProcessorSeconds(**parts)

    def microseconds_each(self, count: float) -> dict[str, float]:
        """Return the microseconds of each part for one of `count` requests."""
        return {name: getattr(self, name) / count * 1e6 for name in self.__struct_fields__}


class CostsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of each process: idle in a second, and for each request of a kind.

    `yardstick_us` is the time of one token, which no server is part of. A quiet machine takes 0.65
    to 0.9 µs. So the yardstick shows how slow the machine was.
    `highest_per_second` is the speed of each load on this machine, the load generator beside it.
    `more_us_per_second` is the idle work of the stores for each worker of a second server.
    A sale is an authorization and its capture; its microseconds count for one of the two requests.
    Bytes on disk are the growth of the database, with indexes and without the log of writes.
    """

    origin: Origin
    listings: int
    connections: int
    seconds: float
    yardstick_us: float
    idle_us_per_second: dict[str, float]
    more_us_per_second: dict[str, float]
    us_per_request: dict[str, dict[str, float]]
    highest_per_second: dict[str, float]
    disk_bytes: dict[str, float]


class _Service:
    """The processes and the database of a running service of one worker."""

    def __init__(self, run: ServiceRun) -> None:
        self._run = run
        self._folder = run.data / "postgres"
        self._redis = redis.Redis(unix_socket_path=str(run.data / "redis" / "redis.sock"))
        [worker] = replicas_at(run.port)
        self._worker = psutil.Process(worker)
        self._main = psutil.Process(run.child.process.pid)
        first_line = (self._folder / "data" / "postmaster.pid").read_text().splitlines()[0]
        self._postmaster = psutil.Process(int(first_line))

    def processor_seconds(self) -> ProcessorSeconds:
        """Return the processor time so far."""
        postgres = {each.pid for each in _family(self._postmaster)}
        python = [each for each in _family(self._main) if "python" in each.name()]
        others = [each for each in python if each.pid not in {self._worker.pid, *postgres}]
        cpu = self._redis.info("cpu")
        return ProcessorSeconds(
            worker=_seconds([self._worker]),
            publisher=_seconds(others),
            postgres=_seconds(_family(self._postmaster)),
            redis=float(cpu["used_cpu_sys"]) + float(cpu["used_cpu_user"]),
        )

    def settle(self) -> None:
        """Wait until the publishing process has chained all rows."""
        # A question costs PostgreSQL a connection, so the first question comes late.
        sleep(CHAINED_SECONDS)
        self._run.child.wait_until(
            lambda: self.fetch(_UNCHAINED) == 0, what="chained", seconds=SETTLED_SECONDS_MAX
        )

    def fetch(self, query: str) -> float:
        """Return the number that a query gives."""

        async def asked() -> float:
            place = {"user": "postgres", "database": "postgres"}
            connection = await asyncpg.connect(host=str(self._folder), **place)
            try:
                return float(await connection.fetchval(query))
            finally:
                await connection.close()

        return uvloop.run(asked())


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def measure_costs(listings: int, folder: Path, now: datetime, seconds: float) -> CostsReport:
    """Measure in a folder of its own. Raises FailedRoundError as `LoadRound.of`."""
    today = shanghai_day(now)
    population = Population(1, listings, today=today)
    with service_run(population, folder, settings=SETTINGS) as run:
        service = _Service(run)
        listed_bytes = service.fetch(_DATABASE_BYTES) - service.fetch(_EMPTY_BYTES)
        verify_denied(denied(population, today), run.port, run.key)
        service.settle()
        idle = _idle(service)
        with second_server(run, folder, workers=MORE_WORKERS):
            service.settle()
            more = _idle(service).less(idle)
        sales = SpendingBench(debtors(population, today))
        till = sales.to_different([run.key] * CONNECTIONS, run.port)
        loads: dict[str, Callable[[float], LoadRound]] = {
            "innocent": _checks(run, innocents(population)),
            "adverse": _checks(run, denied(population, today)),
            "spending": lambda duration: LoadRound.of(send_sales(till, duration), SOLD),
        }
        costs, speeds, disk, yardsticks = {}, {}, {}, [_yardstick_us()]
        for name, send in loads.items():
            send(WARM_UP_SECONDS)
            service.settle()
            size, before = service.fetch(_DATABASE_BYTES), service.processor_seconds()
            began_at = perf_counter()
            sent = send(seconds)
            service.settle()
            spent = service.processor_seconds().less(before).less(idle, perf_counter() - began_at)
            costs[name] = spent.microseconds_each(sent.answers)
            speeds[name] = sent.per_second
            disk[name] = (service.fetch(_DATABASE_BYTES) - size) / sent.answers
            yardsticks.append(_yardstick_us())
    return CostsReport(
        origin=Origin.here(now),
        listings=listings,
        connections=CONNECTIONS,
        seconds=seconds,
        yardstick_us=median(yardsticks),
        idle_us_per_second=idle.microseconds_each(1),
        more_us_per_second={
            "postgres": more.postgres / MORE_WORKERS * 1e6,
            "redis": more.redis / MORE_WORKERS * 1e6,
        },
        us_per_request=costs,
        highest_per_second=speeds,
        disk_bytes={
            "listing": listed_bytes / listings,
            "adverse": disk["adverse"],
            "spending": disk["spending"],
        },
    )


def _yardstick_us() -> float:
    tokenizer = Tokenizer(bytes(32))
    return timeit(lambda: tokenizer.token("a kind", "a number"), number=YARDSTICK_CALLS) * (
        1e6 / YARDSTICK_CALLS
    )


def _idle(service: _Service) -> ProcessorSeconds:
    before = service.processor_seconds()
    sleep(IDLE_SECONDS)
    spent = service.processor_seconds().less(before)
    return ProcessorSeconds(
        **{name: getattr(spent, name) / IDLE_SECONDS for name in spent.__struct_fields__}
    )


def _checks(run: ServiceRun, subjects: list[CrowdSubject]) -> Callable[[float], LoadRound]:
    requests = [check_request(each, run.key) for each in subjects]
    return ClosedLoad(port=run.port, requests=requests, connections=CONNECTIONS).send


def main() -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.scale.costs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--keep", action="store_true", help=f"write a report into {REPORTS.name}/")
    options = parser.parse_args()
    now = datetime.now(UTC)
    with TemporaryDirectory(prefix="costs-") as folder:
        report = measure_costs(options.listings, Path(folder), now, options.seconds)
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    if options.keep:
        print(keep_as("costs", report.origin, report, REPORTS))


if __name__ == "__main__":
    main()
