"""What is counted, under Prometheus names; never a label that could name a person.

Workers of one server share their counts through files in `PROMETHEUS_MULTIPROC_DIR`, which the main
process sets before they start. Writing there costs more than counting; so counts are held for a
second, and one duration in sixteen is noted.
"""

import asyncio
import os
from typing import Any

from litestar import Response, get
from litestar.datastructures import State
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from checker.domain.decision import Outcome
from checker.domain.service import Service, ServiceType

SAMPLED = 16
FLUSH_INTERVAL_S = 1.0
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# From a twentieth of a millisecond, which a check of an innocent takes, to a time-out.
_BUCKETS_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        checks = Counter(
            "checker_checks",
            "Checks decided, batch items included.",
            ("service", "decision"),
            registry=self._registry,
        )
        # Looked up once: the labels are closed sets.
        self._checks = {
            (service.value, outcome): checks.labels(service.value, outcome.value)
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
            "Requests answered with a problem.",
            ("resource", "status"),
            registry=self._registry,
        )
        self._version = Gauge(
            "checker_list_version",
            "Version of the list that answers.",
            multiprocess_mode="mostrecent",
            registry=self._registry,
        )

    def decided(self, service: Service, outcome: Outcome) -> None:
        """Count a decision."""
        self._held[service.__struct_config__.tag, outcome] += 1  # type: ignore[index]

    def answered(self, seconds: float, *, from_registry: int) -> None:
        """Note how long an answer took, and for how many checks the registry was asked."""
        self._answers += 1
        if self._answers % SAMPLED == 0:
            self._seconds.observe(seconds)
        if from_registry:
            self._from_registry.inc(from_registry)

    def failed(self, resource: str, status: int) -> None:
        """Count a request that was answered with a problem."""
        self._failed.labels(resource, str(status)).inc()

    def list_version(self, version: int) -> None:
        """Tell which version of the list answers."""
        self._version.set(version)

    def flush(self) -> None:
        """Write what was held where all workers' counts are."""
        for labels, count in self._held.items():
            if count:
                self._checks[labels].inc(count)
                self._held[labels] = 0

    async def run(self) -> None:
        """Flush every second until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_INTERVAL_S)
            self.flush()

    def exposition(self) -> bytes:
        """Write all counts, of every worker, in Prometheus's text format."""
        self.flush()
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call] # registers itself
        return generate_latest(everyone)


@get("/metrics")
async def show_metrics(state: State) -> Response[bytes]:
    """Show the counts of all workers of this server."""
    metrics: Any = state.metrics
    newest = state.runtime.publisher.newest
    if newest is not None:
        metrics.list_version(newest.version)
    return Response(metrics.exposition(), headers={"content-type": CONTENT_TYPE_LATEST})
