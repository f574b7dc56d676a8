"""A soak: a long mixed load on a demo of several workers, with changes of the list and rebuilds.

All scenarios of `loadtest.load` ask, and a court lists and delists. A rebuild begins every few
minutes. The memory and the open handles of all processes are sampled meanwhile. The run fails when
an answer is wrong or missing, when an error is logged, when the record does not verify, or when a
group of processes grows by more than its noise. The exit code is 1 then.
"""

import csv
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

import msgspec

from loadtest.children import START_SECONDS, Child, checker_program, finished, free_port, is_well
from loadtest.children import started as started_child
from loadtest.generator import LOOPBACK
from loadtest.load import KEYS, load_options, locust_command
from loadtest.origin import Origin
from loadtest.process_samples import ProcessSample, sample
from loadtest.service import COMMAND_SECONDS, service_environment
from loadtest.soak_report import SoakGroup, SoakReport
from loadtest.trend import Trend
from loadtest.workers import replicas_at

SAMPLE_SECONDS = 10.0
REBUILD_SECONDS = 300.0
WARM_UP_SHARE = 0.25
"""Caches fill, and connections open, in the first quarter of a run."""

P99_MS_MAX = 60_000.0
"""A soak proves no speed."""

_END_SECONDS = 60.0
_NO_LIMIT = ("--quota", "0", "--daily-quota", "0")


class SoakPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The length of the run, and the size of the load."""

    seconds: float
    workers: int
    users: int


class SoakLoad(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of locust over the run; `changes` were answered as in force."""

    requests: int
    failures: int
    p50_ms: float
    p99_ms: float
    changes: int


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """A demo under load: its port, its data directory and its process."""

    port: int
    data: Path
    child: Child

    def run(self, *command: str) -> str:
        """Run a command of `checker` beside the server, and return its output."""
        full = [str(checker_program()), *command, "--data-dir", str(self.data)]
        return finished(full, env=service_environment(os.environ), seconds=COMMAND_SECONDS)


def measure_soak(plan: SoakPlan, folder: Path, now: datetime) -> SoakReport:
    """Let the load go on for as long as the plan says, in a folder of its own."""
    samples: dict[str, list[ProcessSample]] = {}
    with _demo(plan, folder) as soaked, _load(plan, soaked, folder) as locust:
        began_at = monotonic()
        rebuilds = _watch(plan, soaked, locust, samples)
        seconds = monotonic() - began_at
        locust.process.wait(_END_SECONDS)
        verified = msgspec.json.decode(soaked.run("audit", "verify", "--json"))
        log = (folder / "demo.log").read_text(encoding="utf-8")
    load = _load_figures(folder / "load")
    warm_up = seconds * WARM_UP_SHARE
    groups = tuple(_group(name, taken, warm_up) for name, taken in samples.items())
    faults = [f"{group.name} grows" for group in groups if not _is_flat(group)]
    if locust.process.returncode:
        faults.append(f"the load failed: {locust.log_tail()}")
    errors = [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
    faults += errors
    return SoakReport(
        origin=Origin.here(now),
        workers=plan.workers,
        users=plan.users,
        seconds=seconds,
        warm_up_seconds=warm_up,
        requests=load.requests,
        failures=load.failures,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        rebuilds=rebuilds,
        changes=load.changes,
        decisions=verified["decisions"]["links"],
        errors_logged=len(errors),
        groups=groups,
        faults=tuple(faults),
    )


@contextmanager
def _demo(plan: SoakPlan, folder: Path) -> Iterator[Soaked]:
    port, data = free_port(), folder / "data"
    command = [str(checker_program()), "demo", "--host", LOOPBACK, "--port", str(port)]
    command += ["--workers", str(plan.workers), "--data-dir", str(data)]
    env = service_environment(os.environ)
    with started_child(command, folder / "demo.log", env=env) as child:
        child.wait_until(lambda: is_well(port, "/readyz"), what="ready", seconds=START_SECONDS)
        yield Soaked(port=port, data=data, child=child)


@contextmanager
def _load(plan: SoakPlan, soaked: Soaked, folder: Path) -> Iterator[Child]:
    keys: Mapping[str, str] = {
        variable: soaked.run("keys", "create", "--role", role, "--name", role, *_NO_LIMIT).strip()
        for variable, role in KEYS.items()
    }
    options = ["--port", str(soaked.port), "--users", str(plan.users), "--failures-max", "0"]
    options += ["--seconds", str(round(plan.seconds)), "--p99-ms-max", str(P99_MS_MAX)]
    command = [*locust_command(load_options(options)), "--csv", str(folder / "load")]
    with started_child(command, folder / "load.log", env={**os.environ, **keys}) as child:
        yield child


def _watch(
    plan: SoakPlan, soaked: Soaked, locust: Child, samples: dict[str, list[ProcessSample]]
) -> int:
    """Take samples and rebuild until the load is over; return the number of rebuilds."""
    rebuilds = 0
    began_at = monotonic()
    rebuilding: Future[str] | None = None
    with ThreadPoolExecutor(1) as beside:
        while (seconds := monotonic() - began_at) < plan.seconds and locust.process.poll() is None:
            workers = replicas_at(soaked.port)
            for name, taken in sample(soaked.child.process.pid, workers, soaked.data, seconds):
                samples.setdefault(name, []).append(taken)
            if seconds > (rebuilds + 1) * REBUILD_SECONDS:
                if rebuilding is not None:
                    rebuilding.result()
                rebuilding = beside.submit(soaked.run, "rebuild")
                rebuilds += 1
            sleep(SAMPLE_SECONDS)
        if rebuilding is not None:
            rebuilding.result()
    return rebuilds


def _load_figures(prefix: Path) -> SoakLoad:
    with Path(f"{prefix}_stats.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    total = rows["Aggregated"]
    return SoakLoad(
        requests=int(total["Request Count"]),
        failures=int(total["Failure Count"]),
        p50_ms=float(total["50%"]),
        p99_ms=float(total["99%"]),
        changes=sum(
            int(row["Request Count"]) - int(row["Failure Count"])
            for name, row in rows.items()
            if name in {"court: list", "court: delist"}
        ),
    )


def _group(name: str, samples: list[ProcessSample], warm_up: float) -> SoakGroup:
    warm = [each for each in samples if each.seconds >= warm_up]
    seconds = [each.seconds for each in warm]
    return SoakGroup(
        name=name,
        memory=Trend.of(seconds, [each.pss_mib for each in warm]),
        handles=Trend.of(seconds, [float(each.handles) for each in warm]),
        samples=tuple(samples),
    )


def _is_flat(group: SoakGroup) -> bool:
    return group.memory.is_flat and group.handles.is_flat
