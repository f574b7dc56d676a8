"""Finds a server's workers: by the replicas in `/metrics`, which its other children lack."""

import re
import urllib.request
from collections.abc import Iterable

from loadtest.generator import LOOPBACK
from loadtest.memory import ProcessMemory, memory_of

_replica_version = re.compile(r'^checker_replica_version\{pid="(\d+)"\} ([\d.e+]+)$', re.MULTILINE)


def replicas_at(port: int) -> dict[int, int]:
    """Ask a server which version of the list each of its workers holds, by process id."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics") as answer:
        return replica_versions(answer.read().decode())


def largest(workers: Iterable[int]) -> ProcessMemory:
    """Look at the worker with the most memory."""
    return max(map(memory_of, workers), key=lambda memory: memory.rss_mib)


def replica_versions(metrics: str) -> dict[int, int]:
    """Read which version each worker's replica holds, by the worker's process id."""
    found = _replica_version.findall(metrics)
    if not found:
        raise ValueError("the metrics name no replica")
    return {int(pid): int(float(version)) for pid, version in found}
