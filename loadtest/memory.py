"""The memory of a process, as the kernel counts it, in MiB."""

import re
from pathlib import Path

import msgspec

_KIB = r"^{name}:\s+(\d+) kB$"


class ProcessMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The memory of one process: `rss_mib` is resident, in `pss_mib` shared pages count in part."""

    rss_mib: float
    pss_mib: float
    peak_rss_mib: float


def memory_of(pid: int) -> ProcessMemory:
    """Look at a process; FileNotFoundError where it has ended."""
    process = Path(f"/proc/{pid}")
    return read_memory((process / "status").read_text(), (process / "smaps_rollup").read_text())


def read_memory(status: str, smaps_rollup: str) -> ProcessMemory:
    """Read the two texts that the kernel gives."""
    return ProcessMemory(
        rss_mib=_mib(status, "VmRSS"),
        pss_mib=_mib(smaps_rollup, "Pss"),
        peak_rss_mib=_mib(status, "VmHWM"),
    )


def children_of(pid: int) -> list[int]:
    """Return the children of a process and their children in turn, in the order of numbers."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= set(map(int, (task / "children").read_text().split()))
    return sorted(found.union(*map(children_of, found)))


def _mib(text: str, name: str) -> float:
    found = re.search(_KIB.format(name=name), text, re.MULTILINE)
    if found is None:
        raise ValueError(f"the kernel reports no {name}")
    return int(found[1]) / 1024
