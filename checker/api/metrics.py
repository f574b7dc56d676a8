"""The metrics of the service, under Prometheus names; no label can name a person.

The workers of one server share their counts through files in `PROMETHEUS_MULTIPROC_DIR`, which the
main process sets before the workers start. A write to a file costs more than a count in memory. So
counts are written once a second, and one duration in sixteen is observed. The gauges of the replica
have a label for the worker (`pid`).
"""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from cache.replica_keeper import ReplicaKeeper
from checker.config import METRICS_FOLDER_VARIABLE
from checker.corrections.corrections import OpenCounts
from checker.domain.decision import Outcome
from checker.domain.fishing import FishingGround
from checker.domain.service import ServiceType
from checker.intake.report import FeedReport
from checker.node.work_failures import count_failures
from checker.notices.webhooks import Waiting
from checker.publication.nodes import Nodes
from checker.work import Work

SAMPLED = 16
FLUSH_INTERVAL_S = 1.0
# From a twentieth of a millisecond, the check of an innocent, to a time-out.
_BUCKETS_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5)
# From a change on every node to a change while Redis is away, and long files.
_FEED_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 120)


class FeedKind(StrEnum):
    """The way by which lines arrived."""

    SNAPSHOT = "snapshot"
    CHANGES = "changes"
    RETRY = "retry"


class StoreName(StrEnum):
    """A store of the deployment."""

    REDIS = "redis"
    POSTGRESQL = "postgresql"


class OrderKind(StrEnum):
    """The order of a merchant about an authorization."""

    AUTHORIZE = "authorize"
    INCREMENT = "increment"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Metrics:
    """The metrics of one process, whose replica and whose view of PostgreSQL are given."""

    def __init__(
        self, replica: ReplicaKeeper, postgres_answers: Callable[[], bool] = lambda: True
    ) -> None:
        self._replica = replica
        self._postgres_answers = postgres_answers
        self._registry = CollectorRegistry()
        checks = Counter(
            "checker_checks",
            "Checks decided, batch items included.",
            ("service", "decision"),
            registry=self._registry,
        )
        # Looked up once: the labels are closed sets.
        self._checks = {
            (service, outcome): checks.labels(service.value, outcome.value)
            for service in ServiceType
            for outcome in Outcome
        }
        self._held = dict.fromkeys(self._checks, 0)
        self._answers = 0
        self._seconds = Histogram(
            "checker_check_duration_seconds",
            f"Time to answer a check or a batch, of one request in {SAMPLED}.",
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._from_registry = Counter(
            "checker_registry_lookups",
            "Checks for which the registry was asked.",
            registry=self._registry,
        )
        self._failed = Counter(
            "checker_problems",
            "Requests answered with a problem, bugs (500) among them.",
            ("resource", "status"),
            registry=self._registry,
        )
        self._flagged = Counter(
            "checker_accounts_flagged",
            "Accounts that seemed to fish, flagged or slowed again.",
            ("ground",),
            registry=self._registry,
        )
        for ground in FishingGround:
            self._flagged.labels(ground.value)  # shown as 0 until there is one
        self._orders = Counter(
            "checker_spending_orders",
            "Orders of spending, by what they were answered: a status, or a problem's code.",
            ("order", "result"),
            registry=self._registry,
        )
        self.work_failed = count_failures(self._registry)
        self._count_the_list()
        self._count_what_waits()
        self._count_the_feed()

    def _count_the_list(self) -> None:
        self._version = Gauge(
            "checker_list_version",
            "Newest version of the list that the registry was seen to have.",
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )
        self._lag = Gauge(
            "checker_list_lag_seconds",
            "For how long the node furthest behind has lacked a change.",
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )
        self._lost_changes = Gauge(
            "checker_list_lost_changes",
            "Changes of the list that were acknowledged and that the registry was found to lack.",
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )
        self._replica_version = Gauge(
            "checker_replica_version",
            "Version of the list that the worker's replica holds.",
            multiprocess_mode="liveall",
            registry=self._registry,
        )
        self._lease = Gauge(
            "checker_replica_lease",
            "1 while the worker may say by itself that somebody is not listed, else 0.",
            multiprocess_mode="liveall",
            registry=self._registry,
        )
        self._stores = Gauge(
            "checker_store_answers",
            "1 while the store answers every worker, and PostgreSQL takes writes too, else 0.",
            ("store",),
            multiprocess_mode="livemin",
            registry=self._registry,
        )

    def _count_what_waits(self) -> None:
        self._corrections = Gauge(
            "checker_corrections_open",
            "Corrections that wait for a court's ruling.",
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )
        self._overdue_corrections = Gauge(
            "checker_corrections_overdue",
            "Corrections whose court's days for a ruling are over.",
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )
        self._notices = Gauge(
            "checker_notices_undelivered",
            "Notices that endpoints have not acknowledged, on their way or given up.",
            ("state",),
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )

    def _count_the_feed(self) -> None:
        self._lines = Counter(
            "checker_feed_lines",
            "Lines of the feed that were accepted, and those that went into quarantine.",
            ("feed", "result"),
            registry=self._registry,
        )
        self._feed_seconds = Histogram(
            "checker_feed_in_force_seconds",
            "From a feed's last byte to its being in force on every node.",
            ("feed",),
            buckets=_FEED_BUCKETS_S,
            registry=self._registry,
        )

    def decided(self, service: ServiceType, outcome: Outcome, checks: int = 1) -> None:
        """Count checks about one type of service, with one outcome."""
        self._held[service, outcome] += checks

    def answered(self, seconds: float, *, from_registry: int) -> None:
        """Count an answer, its duration, and the checks that the registry decided."""
        self._answers += 1
        if self._answers % SAMPLED == 0:
            self._seconds.observe(seconds)
        if from_registry:
            self._from_registry.inc(from_registry)

    def flagged(self, ground: FishingGround) -> None:
        """Count a flag on an account."""
        self._flagged.labels(ground.value).inc()

    def failed(self, resource: str, status: int) -> None:
        """Count a request that was answered by a problem."""
        self._failed.labels(resource, str(status)).inc()

    def ordered(self, order: OrderKind, result: str) -> None:
        """Count an order of spending; `result` is a status or a problem's code."""
        self._orders.labels(order.value, result).inc()

    def fed(self, kind: FeedKind, report: FeedReport, seconds: float) -> None:
        """Count the lines of a feed, and the seconds until the feed was in force."""
        self._lines.labels(kind.value, "accepted").inc(report.accepted)
        self._lines.labels(kind.value, "rejected").inc(report.rejected_count)
        self._feed_seconds.labels(kind.value).observe(seconds)

    def listed(self, nodes: Nodes) -> None:
        """Set the newest version of the list, the greatest lag of a node, and the lost changes."""
        self._version.set(nodes.newest)
        self._lag.set(max((node.lag_ms for node in nodes.nodes), default=0) / 1000)
        self._lost_changes.set(nodes.lost_changes)

    def waiting(self, corrections: OpenCounts) -> None:
        """Set the number of corrections that wait for a ruling, and of the overdue ones."""
        self._corrections.set(corrections.waiting)
        self._overdue_corrections.set(corrections.overdue)

    def undelivered(self, waiting: Waiting) -> None:
        """Set the number of notices that wait for an endpoint, by state."""
        for state, count in msgspec.structs.asdict(waiting).items():
            self._notices.labels(state).set(count)

    def flush(self) -> None:
        """Write the held counts to the files that all workers share."""
        for labels, count in self._held.items():
            if count:
                self._checks[labels].inc(count)
                self._held[labels] = 0
        position = self._replica.position
        self._replica_version.set(0 if position is None else position.version)
        self._lease.set(self._replica.holds_lease)
        self._stores.labels(StoreName.REDIS.value).set(self._replica.hears)
        self._stores.labels(StoreName.POSTGRESQL.value).set(self._postgres_answers())

    @property
    def work(self) -> Work:
        """Flush, again and again."""

        async def flush() -> None:
            self.flush()

        return Work(name="writing counts", every_s=FLUSH_INTERVAL_S, do=flush)

    def exposition(self) -> bytes:
        """Return the metrics of all workers in the text format of Prometheus; may run in a thread.

        Call `flush` before, in the thread that counts.
        """
        if not os.environ.get(METRICS_FOLDER_VARIABLE):
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call] # registers itself
        return generate_latest(everyone)


def forget_dead_workers() -> None:
    """Delete the gauges of workers that have ended; a killed worker leaves its file behind."""
    folder = os.environ.get(METRICS_FOLDER_VARIABLE)
    for file in Path(folder).glob("gauge_live*_*.db") if folder else ():
        pid = int(file.stem.rpartition("_")[2])
        if not _lives(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
