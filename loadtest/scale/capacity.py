"""The closed form: machines, memory, disk and money of a register, and the bound it meets first.

**Load.** A part's load is the microseconds of processor time that it needs in a second of the peak:
requests of each kind, times the measured cost of the kind in that part.

**Waiting.** Each worker is a queue of its own, because the kernel spreads connections over sockets.
Requests arrive by a Poisson process. So the wait is that of M/G/1 (Pollaczek and Khinchine):

    mean wait   arrivals * E[S^2] / (2 * (1 - busy))
    p99         the wait, if there is any, as exponential: mean / busy * ln(busy / 0.01)

The costs of the kinds are the only spread of S. The noise of machine and network is not in it.

**Bounds.** Machines that serve can be added. A bound is a part of which a deployment has one.
"""

from math import ceil, log

import msgspec

from loadtest.scale.inputs import CONNECTIONS_PER_PROCESS, Assumptions
from loadtest.scale.registers import YEAR_DAYS, Register

GIB = 1 << 30
MIB = 1 << 20
SECOND_US = 1e6
YEAR_MONTHS = 12
REQUESTS_A_TICKET = 2
"""An authorization and its capture."""

GENERATIONS = 2
"""During a rebuild Redis and each worker hold the old list and the new list."""

MACHINES_MIN = 2
STORE_CORES_MIN = 2
MEMORY_GIB_PER_CORE = 4
POSTGRES_GIB_PER_CORE = 8
PUBLISHING_S = 8 * 3600
"""Courts publish in office hours."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Requests a second of each kind."""

    innocent: float
    adverse: float
    spending: float

    @classmethod
    def at_peak(cls, register: Register) -> "Rates":
        """Return the rates of the busiest minute, with its burst."""
        checks = register.peak_checks_per_second
        tickets = register.tickets_at(register.peak_minute)
        return cls(
            innocent=checks * (1 - register.adverse_share),
            adverse=checks * register.adverse_share,
            spending=tickets * REQUESTS_A_TICKET,
        )

    def load_us(self, part: str, measured: dict[str, float]) -> float:
        """Return the microseconds a second of one part of the service, its idle work left out."""
        return (
            self.innocent * measured[f"innocent_{part}_us"]
            + self.adverse * measured[f"adverse_{part}_us"]
            + self.spending * measured[f"spending_{part}_us"]
        )


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """The wait of a request for its worker, in milliseconds, and how busy the worker is."""

    busy: float
    mean_ms: float
    p99_ms: float


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A part of which there is one: `headroom` is how many times the load it could bear."""

    part: str
    grows_with: str
    demand: str
    headroom: float


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The machines of a register, and what they hold. The standby of PostgreSQL is as large."""

    machines: int
    workers: int
    postgres_cores: int
    redis_cores: int
    worker_mib: float
    redis_gib: float
    disk_gib: float
    month_yuan: float
    million_checks_yuan: float


def store_load_us(store: str, rates: Rates, workers: int, measured: dict[str, float]) -> float:
    """Return the microseconds a second of a store, with the idle work of all workers.

    Redis also looks up each innocent person that the filter cannot clear, at the cost of a kept
    answer.
    """
    idle = measured[f"idle_{store}_us"] + (workers - 1) * measured[f"more_{store}_us"]
    maybes = rates.innocent * measured["false_positive_rate"] if store == "redis" else 0.0
    return rates.load_us(store, measured) + maybes * measured["adverse_redis_us"] + idle


def wait_of(rates: Rates, workers: int, measured: dict[str, float]) -> Wait:
    """Return the wait at so many workers; infinite where they are busy all the time."""
    kinds = {name: getattr(rates, name) for name in rates.__struct_fields__}
    costs = {name: measured[f"{name}_worker_us"] / SECOND_US for name in kinds}
    idle = measured["idle_worker_us"] / SECOND_US
    busy = idle + sum(kinds[name] * costs[name] for name in kinds) / workers
    if busy >= 1:
        return Wait(busy=busy, mean_ms=float("inf"), p99_ms=float("inf"))
    squares = sum(kinds[name] * costs[name] ** 2 for name in kinds) / workers
    mean_s = squares / (2 * (1 - busy))
    p99_s = mean_s / busy * max(0.0, log(busy / 0.01)) if busy else 0.0
    return Wait(busy=busy, mean_ms=mean_s * 1e3, p99_ms=p99_s * 1e3)


def lay_out(register: Register, measured: dict[str, float], assumed: Assumptions) -> Layout:
    """Return the smallest layout that bears the peak after the loss of one machine."""
    rates = Rates.at_peak(register)
    a_worker_us = assumed.utilisation_max * SECOND_US - measured["idle_worker_us"]
    workers_min = rates.load_us("worker", measured) / a_worker_us
    machines = max(MACHINES_MIN, ceil(workers_min / assumed.cores_per_machine) + 1)
    workers = machines * assumed.cores_per_machine
    postgres_us = store_load_us("postgres", rates, workers, measured)
    postgres_cores = max(STORE_CORES_MIN, ceil(postgres_us / SECOND_US / assumed.utilisation_max))
    disk_gib = _disk_bytes(register, measured, assumed) / GIB
    redis_gib = GENERATIONS * register.listed * measured["redis_bytes_per_person"] / GIB
    cores = machines * assumed.cores_per_machine + 2 * (postgres_cores + STORE_CORES_MIN)
    memory_gib = (
        machines * assumed.cores_per_machine * MEMORY_GIB_PER_CORE
        + 2 * postgres_cores * POSTGRES_GIB_PER_CORE
        + 2 * ceil(STORE_CORES_MIN * MEMORY_GIB_PER_CORE + redis_gib)
    )
    month_yuan = (
        cores * assumed.core_month_yuan
        + memory_gib * assumed.memory_gib_month_yuan
        + 2 * disk_gib * assumed.disk_gib_month_yuan
    )
    filter_bytes = GENERATIONS * register.listed * measured["filter_bytes_per_person"]
    return Layout(
        machines=machines,
        workers=workers,
        postgres_cores=postgres_cores,
        redis_cores=STORE_CORES_MIN,
        worker_mib=measured["worker_base_mib"] + filter_bytes / MIB,
        redis_gib=redis_gib,
        disk_gib=disk_gib,
        month_yuan=month_yuan,
        million_checks_yuan=month_yuan * YEAR_MONTHS / (register.checks_of_the_year / 1e6),
    )


def _disk_bytes(register: Register, measured: dict[str, float], assumed: Assumptions) -> float:
    """Return the bytes of PostgreSQL after the years for which decisions are kept."""
    days = YEAR_DAYS * assumed.years_kept
    decisions = register.checks_of_the_year * register.adverse_share * assumed.years_kept
    spending = register.tickets_of_the_year * REQUESTS_A_TICKET * assumed.years_kept
    listings = register.listed + register.listed_a_day * days
    return (
        listings * measured["listing_disk_bytes"]
        + decisions * measured["adverse_disk_bytes"]
        + spending * measured["spending_disk_bytes"]
    )


def bounds_of(
    register: Register, layout: Layout, measured: dict[str, float], assumed: Assumptions
) -> list[Bound]:
    """Return the bounds, the one that is met first at the top."""
    rates, workers = Rates.at_peak(register), layout.workers
    postgres = store_load_us("postgres", rates, workers, measured)
    redis = store_load_us("redis", rates, workers, measured)
    one_core = assumed.utilisation_max * SECOND_US
    publisher = rates.load_us("publisher", measured) + measured["idle_publisher_us"]
    connections = (workers + layout.machines) * CONNECTIONS_PER_PROCESS
    held_mib = assumed.cores_per_machine * layout.worker_mib + measured["publisher_mib"]
    machine_mib = assumed.cores_per_machine * MEMORY_GIB_PER_CORE * 1024
    changes = (register.listed_a_day + register.delisted_a_day) / PUBLISHING_S
    found = [
        ("processor of PostgreSQL", "kept answers, tickets", f"{postgres / SECOND_US:.2f} cores",
         one_core * assumed.postgres_cores_max / postgres),
        ("the one thread of Redis", "maybes, workers", f"{100 * redis / SECOND_US:.1f} % of a core",
         one_core / redis),
        ("the publishing process that chains", "kept answers, tickets",
         f"{100 * publisher / SECOND_US:.1f} % of a core", one_core / publisher),
        ("connections of PostgreSQL", "workers", f"{connections}",
         assumed.postgres_connections_max / connections),
        ("disk of PostgreSQL", "kept answers, tickets, years", f"{layout.disk_gib:.0f} GiB",
         assumed.disk_gib_max / layout.disk_gib),
        ("memory of a machine", "listed persons", f"{held_mib / 1024:.1f} GiB",
         machine_mib / held_mib),
        ("changes, at the rate that was measured", "courts", f"{changes:.2f}/s",
         measured["changes_per_second"] / changes),
    ]  # fmt: skip
    bounds = [
        Bound(part=part, grows_with=with_, demand=demand, headroom=headroom)
        for part, with_, demand, headroom in found
    ]
    return sorted(bounds, key=lambda bound: bound.headroom)
