"""Measures a list of millions: memory, a rebuild under way, the speed of checks, false positives.

Two services import the same small list. `loadtest.large_list` adds millions of persons to one of
them. The speed of both is measured in turn. The large service is verified against the truth of the
small list at the start, with the millions, and after the rebuild.
"""

import os
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from time import perf_counter

import msgspec
import redis
import uvloop

from loadtest.bench_report import LargeReport
from loadtest.children import ChildError, checker_program, started
from loadtest.closed_load import ClosedLoad
from loadtest.figures import Figures
from loadtest.filter_probe import expected_share, read_filter, share_of_maybes
from loadtest.large_list import put_on_the_list
from loadtest.memory import ProcessMemory, children_of, memory_of
from loadtest.origin import Origin
from loadtest.paced import Latencies, PacedQuestions, ask_until
from loadtest.population import Population
from loadtest.questions import check_request, innocents, verify
from loadtest.service import ServiceRun, service_environment, service_run
from loadtest.workers import largest, replicas_at

SMALL_LISTINGS = 10_000
CHECKS_PER_SECOND = 500.0
BEFORE_SECONDS = 20.0
"""At this rate 10 000 answers come, and a hundred of them are above the 99th percentile."""

PROBES = 20_000_000
"""Some 17 000 of them are false positives, so the standard error is 0.8 % of the rate."""

WARM_UP_SECONDS = 1.0
REBUILD_SECONDS_MAX = 1_800.0
"""A rebuild that takes longer has no figure worth keeping."""


class LargePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The loads to send, and for how long."""

    seed: int
    persons: int
    rounds: int
    round_seconds: float
    connections: int


class _Large:
    """The service with the millions of persons, as seen from outside."""

    def __init__(self, run: ServiceRun) -> None:
        self.run = run
        self.redis = redis.Redis(unix_socket_path=str(run.data / "redis" / "redis.sock"))

    def redis_bytes(self, field: str = "used_memory") -> int:
        return int(self.redis.info("memory")[field])

    def worker_memory(self) -> ProcessMemory:
        """Return the memory of the largest worker."""
        return largest(self.replicas())

    def publisher_memory(self) -> ProcessMemory:
        """Return the memory of the publishing process: the largest child that is no worker."""
        others = set(children_of(self.run.child.process.pid)) - self.replicas().keys()
        return max(map(memory_of, others), key=lambda memory: memory.peak_rss_mib)

    def has(self, version: int) -> bool:
        """Return whether every worker's replica holds a version of the list."""
        return all(held >= version for held in self.replicas().values())

    def replicas(self) -> dict[int, int]:
        """Return the version that each worker holds, by process."""
        return replicas_at(self.run.port)


def measure_large(plan: LargePlan, folder: Path, now: datetime, today: date) -> LargeReport:
    """Measure in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, SMALL_LISTINGS, today=today)
    with ExitStack() as stack:
        runs, loads = [], []
        for name in ("large", "small"):
            (folder / name).mkdir()
            run = stack.enter_context(service_run(population, folder / name))
            verify(population, run.port, run.key, today)
            runs.append(run)
            loads.append(_load(plan, population, run))
        large = _Large(runs[0])
        loads[0].send(WARM_UP_SECONDS)
        worker_before, redis_before = large.worker_memory(), large.redis_bytes()
        tokens_before = read_filter(large.redis).entries
        version, fill_seconds = put_on_the_list(large.run.data / "postgres", plan.persons)
        first_build_seconds = _wait_for(large, version)
        verify(population, large.run.port, large.run.key, today)
        worker_after, redis_after = large.worker_memory(), large.redis_bytes()
        held = read_filter(large.redis)
        asking = PacedQuestions(
            port=large.run.port,
            requests=list(loads[0].requests),
            per_second=CHECKS_PER_SECOND,
            connections=plan.connections,
        )
        ends_at = perf_counter() + BEFORE_SECONDS
        before = uvloop.run(ask_until(asking, lambda: perf_counter() >= ends_at))
        during, rebuild_seconds = _rebuild(large, asking, folder)
        verify(population, large.run.port, large.run.key, today)
        pairs = [[load.send(plan.round_seconds) for load in loads] for _ in range(plan.rounds)]
        return LargeReport(
            origin=Origin.here(now),
            persons=plan.persons,
            small_listings=SMALL_LISTINGS,
            tokens=held.entries,
            fill_seconds=fill_seconds,
            redis_bytes_per_token=(redis_after - redis_before) / (held.entries - tokens_before),
            redis_peak_mib=large.redis_bytes("used_memory_peak") / (1 << 20),
            filter_mib=len(held.bits) / (1 << 20),
            worker_before=worker_before,
            worker_after=worker_after,
            worker_in_the_end=large.worker_memory(),
            publisher_peak_mib=large.publisher_memory().peak_rss_mib,
            first_build_seconds=first_build_seconds,
            rebuild_seconds=rebuild_seconds,
            checks_per_second=CHECKS_PER_SECOND,
            before=before,
            during=during,
            connections=plan.connections,
            round_seconds=plan.round_seconds,
            large=Figures.of_rounds([one for one, _ in pairs]),
            small=Figures.of_rounds([other for _, other in pairs]),
            probes=PROBES,
            false_positive_rate=share_of_maybes(held, PROBES, plan.seed),
            expected_false_positive_rate=expected_share(held.entries, held.blocks),
        )


def _load(plan: LargePlan, population: Population, run: ServiceRun) -> ClosedLoad:
    """Return a load about persons who are on neither list."""
    return ClosedLoad(
        port=run.port,
        requests=[check_request(subject, run.key) for subject in innocents(population)],
        connections=plan.connections,
    )


def _wait_for(large: _Large, version: int) -> float:
    """Wait until the millions are in force, and return the seconds."""
    began_at = perf_counter()
    large.run.child.wait_until(
        lambda: large.has(version), what="in force with the millions", seconds=REBUILD_SECONDS_MAX
    )
    return perf_counter() - began_at


def _rebuild(large: _Large, asking: PacedQuestions, folder: Path) -> tuple[Latencies, float]:
    """Rebuild the cache while checks go on; return their latencies, and the seconds of the command.

    The command asks for the rebuild and waits. It starts with the lowest priority, because its
    start takes a second of a processor and only the rebuild is to be measured.
    """
    command = ["nice", "-n", "19", str(checker_program()), "rebuild"]
    command += ["--data-dir", str(large.run.data)]
    env = service_environment(os.environ)
    limit = perf_counter() + REBUILD_SECONDS_MAX
    began_at = perf_counter()
    with started(command, folder / "rebuild.log", env=env) as child:
        ended_at = 0.0

        def is_over() -> bool:
            nonlocal ended_at
            ended_at = perf_counter()
            return child.process.poll() is not None or ended_at > limit

        during = uvloop.run(ask_until(asking, is_over))
        if child.process.poll() != 0:
            raise ChildError(f"the rebuild failed: {child.log_tail()}")
    return during, ended_at - began_at
