"""Finds the workers of a server by their replicas in `/metrics`; other children have no replica."""

import re
import urllib.request
from collections.abc import Iterable

from loadtest.generator import LOOPBACK
from loadtest.memory import ProcessMemory, memory_of

_replica_version = re.compile(r'^checker_replica_version\{pid="(\d+)"\} ([\d.e+]+)$', re.MULTILINE)


def replicas_at(port: int) -> dict[int, int]:
    """Return the version of the list that each worker of a server holds, by process id."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics") as answer:
        return replica_versions(answer.read().decode())


def largest(workers: Iterable[int]) -> ProcessMemory:
    """Return the memory of the largest worker."""
    return max(map(memory_of, workers), key=lambda memory: memory.rss_mib)


def replica_versions(metrics: str) -> dict[int, int]:
    """Return the version of each worker's replica in a text of metrics, by process id."""
    found = _replica_version.findall(metrics)
    if not found:
        raise ValueError("the metrics name no replica")
    return {int(pid): int(float(version)) for pid, version in found}
