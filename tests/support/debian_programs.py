"""Programs of Debian that some tests drive.

Without a program its tests are left out, and the head of the run names them. In CI they fail.
"""

import os
import shutil
from collections.abc import Mapping

TESTS: Mapping[str, str] = {
    "haproxy": "faults/test_balancer.py",
    "pgbouncer": "faults/test_pooler.py",
    "redis-server": "faults/test_guarded_stores.py",
}
"""The file of tests, below tests/, that needs a program."""


def program(name: str) -> str | None:
    """The path of a program; None: it is not installed, which in CI is an error."""
    # Debian's folder of servers is on root's PATH alone.
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert found or not os.environ.get("CI"), f"CI needs {name}"
    return found


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in TESTS if program(name) is None]
