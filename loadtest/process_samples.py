"""The memory and the open handles of a server's processes, sampled while a load goes on."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from loadtest.memory import children_of, memory_of

_STORES = {"postgres": "PostgreSQL", "valkey-server": "Redis", "redis-server": "Redis"}
OTHERS = "parent, publisher and imports"


class ProcessSample(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one group of processes at one instant.

    Each process counts its part of a page that it shares.
    """

    seconds: float
    pss_mib: float
    handles: int
    processes: int


def sample(
    parent: int, workers: Collection[int], data: Path, seconds: float
) -> Iterator[tuple[str, ProcessSample]]:
    """Look at all processes of a server, by groups: each worker, the stores, all others.

    Embedded stores are no children of the server. They work in its data directory.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for pid in sorted({parent, *children_of(parent), *working_in(data)}):
        groups[_group(pid, workers)].append(pid)
    for name, pids in sorted(groups.items()):
        seen = [each for each in map(_look, pids) if each is not None]
        yield (
            name,
            ProcessSample(
                seconds=seconds,
                pss_mib=sum(memory for memory, _ in seen),
                handles=sum(handles for _, handles in seen),
                processes=len(seen),
            ),
        )


def working_in(folder: Path) -> Iterator[int]:
    """Yield the processes whose working directory is the folder, or is below it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                yield int(process.name)


def _group(pid: int, workers: Collection[int]) -> str:
    if pid in workers:
        return f"worker {sorted(workers).index(pid) + 1}"
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return OTHERS
    program = command.split("\0")[0]
    return next((name for part, name in _STORES.items() if part in program), OTHERS)


def _look(pid: int) -> tuple[float, int] | None:
    """Return memory and handles of a process; None: it has ended."""
    try:
        return memory_of(pid).pss_mib, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
