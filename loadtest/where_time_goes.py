"""Where the microseconds of a check go, as a Markdown table.

    python -m loadtest.where_time_goes
    python -m loadtest.where_time_goes --before /path/to/older/.venv/bin/checker

The parts are the project's own functions on the parts of a real node, timed one by one in this
process: a node on the embedded servers of a service that runs beside it. The whole is the processor
time of the service's one worker for each request, while `wrk` sends. The difference between the
whole and the parts is the server: the kernel's sockets, the event loop, HTTP, and the framework.
"""

import argparse
import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import msgspec
import psutil
import uvloop

from checker.config import load_config
from checker.domain.clock import shanghai_day
from checker.node.runtime import Runtime, open_runtime
from checker.node.servers import open_servers
from checker.node.upkeep import keep_current
from loadtest.check_parts import CALLS, CheckParts, TimedPart
from loadtest.children import START_SECONDS
from loadtest.closed_load import ClosedLoad
from loadtest.crowd import CrowdSubject
from loadtest.origin import Origin
from loadtest.population import Population
from loadtest.questions import check_body, check_request, innocents, verify
from loadtest.rows.innocent import ITEMS_PER_DAY, ITEMS_PER_MINUTE
from loadtest.service import ServiceRun, service_run
from loadtest.table import DOCS, PAGE, write_between_markers
from loadtest.workers import replicas_at

WARM_UP_SECONDS = 1.0
IDLE_SECONDS = 2.0
CONNECTIONS = 16
_POLL_SECONDS = 0.05


class RequestCost(msgspec.Struct, frozen=True, kw_only=True):
    """The processor time of one request in a worker, in microseconds."""

    user_us: float
    system_us: float

    @property
    def total_us(self) -> float:
        """The time in our code and in the kernel."""
        return self.user_us + self.system_us


def request_cost(run: ServiceRun, load: ClosedLoad, seconds: float) -> RequestCost:
    """Return the cost of a request while a load is sent, without the idle work of the worker."""
    [pid] = replicas_at(run.port)
    worker = psutil.Process(pid)
    load.send(WARM_UP_SECONDS)
    at_first = worker.cpu_times()
    sleep(IDLE_SECONDS)
    before = worker.cpu_times()
    sent = load.send(seconds)
    after = worker.cpu_times()
    idle = sent.seconds / IDLE_SECONDS
    user_s = after.user - before.user - (before.user - at_first.user) * idle
    system_s = after.system - before.system - (before.system - at_first.system) * idle
    return RequestCost(user_us=user_s / sent.answers * 1e6, system_us=system_s / sent.answers * 1e6)


@asynccontextmanager
async def node_beside(data: Path) -> AsyncIterator[Runtime]:
    """Run a node in this process, on the servers of a running service, until it holds a lease."""
    config = load_config({**os.environ, "CHECKER_DATA_DIR": str(data)})
    with open_servers(config) as named:
        async with (
            open_runtime(named, os.environ) as runtime,
            keep_current(runtime, publish=False),
        ):
            async with asyncio.timeout(START_SECONDS):
                while not runtime.replica.holds_lease:  # noqa: ASYNC110 - a lease has no event
                    await asyncio.sleep(_POLL_SECONDS)
            yield runtime


async def timed_parts(
    run: ServiceRun, bodies: list[bytes], key: str, *, calls: int = CALLS
) -> list[TimedPart]:
    """Return the parts of a check, timed on a node beside the service."""
    async with node_beside(run.data) as runtime:
        authorization = f"Bearer {key}"
        caller = await runtime.key_ring.caller(authorization)
        return await CheckParts(runtime, caller, bodies, authorization).timed(calls)


def markdown(
    origin: Origin, parts: list[TimedPart], cost: RequestCost, before: RequestCost | None
) -> str:
    """Return the table."""
    known = sum(part.us for part in parts if not part.is_within)
    lines = [
        f"{origin.text()}.",
        "",
        "| part of a check of an innocent person | µs |",
        "|---|---|",
        *map(_line, parts),
        f"| **all parts above** | **{known:.1f}** |",
        f"| the rest: sockets, event loop, HTTP, framework | {cost.total_us - known:.1f} |",
        f"| **processor time of a request in the worker** | **{cost.total_us:.1f}** |",
        f"| – of which in the kernel | {cost.system_us:.1f} |",
    ]
    if before is not None:
        lines.append(
            f"| the same before, in the kernel {before.system_us:.1f} | {before.total_us:.1f} |"
        )
    return "\n".join(lines)


def _line(part: TimedPart) -> str:
    return f"| {'– of which ' if part.is_within else ''}{part.name} | {part.us:.2f} |"


def _measured(options: argparse.Namespace, folder: Path) -> str:
    now = datetime.now(UTC)
    today = shanghai_day(now)
    population = Population(1, options.listings, today=today)
    subjects = innocents(population)
    with service_run(population, folder) as run:
        verify(population, run.port, run.key, today)
        key = run.new_key("institution", quota=ITEMS_PER_MINUTE, daily_quota=ITEMS_PER_DAY)
        cost = request_cost(run, _load(run, subjects, key), options.seconds)
        bodies = [check_body(subject) for subject in subjects]
        parts = uvloop.run(timed_parts(run, bodies, key))
    before = None
    if options.before:
        older = folder / "before"
        older.mkdir()
        with service_run(population, older, program=options.before) as run:
            key = run.new_key("institution", quota=ITEMS_PER_MINUTE, daily_quota=ITEMS_PER_DAY)
            before = request_cost(run, _load(run, subjects, key), options.seconds)
    return markdown(Origin.here(now), parts, cost, before)


def _load(run: ServiceRun, subjects: list[CrowdSubject], key: str) -> ClosedLoad:
    requests = [check_request(subject, key) for subject in subjects]
    return ClosedLoad(port=run.port, requests=requests, connections=CONNECTIONS)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.where_time_goes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=5, help="of the load")
    parser.add_argument("--before", type=Path, help="the `checker` of an older installation")
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="where-") as folder:
        table = _measured(options, Path(folder))
    print(table)
    if options.write:
        write_between_markers(DOCS / PAGE, "where", table)


if __name__ == "__main__":
    main()
