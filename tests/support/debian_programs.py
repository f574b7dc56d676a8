"""Programs of Debian that the tests of scaling out drive.

These tests run by `make scale-out` alone, because the suite has to end within CI's limit. Without a
program its tests are left out, and the head of the run names them.
"""

import os
import shutil
from collections.abc import Mapping

SWITCH = "CHECKER_SCALE_OUT"
TESTS: Mapping[str, str | None] = {
    "faults/test_balancer.py": "haproxy",
    "faults/test_guarded_stores.py": "redis-server",
    "faults/test_pooler.py": "pgbouncer",
    "faults/test_standby.py": None,
}
"""The files, below tests/, with the program that each needs."""


def left_out() -> dict[str, str]:
    """Return the files that are not run, and why."""
    if SWITCH not in os.environ:
        return dict.fromkeys(TESTS, "`make scale-out` runs it")
    missing = {file: name for file, name in TESTS.items() if name and program(name) is None}
    return {file: f"{name} is not installed" for file, name in missing.items()}


def program(name: str) -> str | None:
    """The path of a program; None: it is not installed."""
    # Debian's folder of servers is on root's PATH alone.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
