"""The metric by which an operator sees a background work that fails."""

from prometheus_client import CollectorRegistry, Counter

from checker.work import CountFailure


def count_failures(registry: CollectorRegistry) -> CountFailure:
    """Return the counter of failed rounds, by work. All processes of a server share the counts."""
    failures = Counter(
        "checker_work_failures",
        "Rounds of background works that failed, by work.",
        ("work",),
        registry=registry,
    )

    def count(work: str) -> None:
        failures.labels(work).inc()

    return count
