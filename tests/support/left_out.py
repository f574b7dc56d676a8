"""The tests that `make test` leaves out, because it has to end within CI's limit.

`make attacks`, `make faults`, `make long` and `make scale-out` run them, each by its own name in
`CHECKER_RUNS`. A test without its program is left out there too. The head of a run names what it
leaves out.
"""

import os
import shutil
from collections.abc import Mapping
from typing import NamedTuple

VARIABLE = "CHECKER_RUNS"
TOKEN_KEY_VARIABLE = "CHECKER_TESTS_TOKEN_KEY"
"""The number of the key under which tests store tokens (`tests.support.token_keys`)."""


class LeftOut(NamedTuple):
    """The target that runs a file, and the program of Debian that the file needs."""

    target: str
    program: str | None = None


FILES: Mapping[str, LeftOut] = {
    "contract/attacks/test_long_attacks.py": LeftOut("attacks"),
    "contract/test_http_rotation.py": LeftOut("long"),
    "contract/test_load_scenarios.py": LeftOut("long"),
    "integration/embedded/test_shared_server.py": LeftOut("long"),
    "integration/loadtest/test_bench_rows.py": LeftOut("long"),
    "integration/notices/test_endings_written.py": LeftOut("long"),
    "integration/registry/test_platform_oracle.py": LeftOut("long"),
    "faults/test_backup.py": LeftOut("faults"),
    "faults/test_crowd_over_http.py": LeftOut("faults"),
    "faults/test_failover.py": LeftOut("faults"),
    "faults/test_outages.py": LeftOut("faults"),
    "faults/test_notices_over_kills.py": LeftOut("faults"),
    "faults/test_spending_over_faults.py": LeftOut("faults"),
    "faults/test_balancer.py": LeftOut("scale-out", "haproxy"),
    "faults/test_guarded_stores.py": LeftOut("scale-out", "redis-server"),
    "faults/test_pooler.py": LeftOut("scale-out", "pgbouncer"),
    "faults/test_redis_cluster.py": LeftOut("scale-out"),
    "faults/test_redis_failover.py": LeftOut("scale-out"),
    "faults/test_standby.py": LeftOut("scale-out"),
}
"""By the path below tests/. The table of faults (`faults/fault_table.py`) has crowds, orders and
notices under fewer faults in every run."""

OF_FIRST_KEY = (
    "integration/record/test_rotation.py",
    "integration/record/test_token_rotation.py",
    "integration/registry/test_rebuild_under_another_key.py",
)


def left_out() -> dict[str, str]:
    """Return the files that this run leaves out, and why."""
    runs = os.environ.get(VARIABLE)
    found = {}
    for file, each in FILES.items():
        if runs != each.target:
            found[file] = f"`make {each.target}` runs it"
        elif each.program and program(each.program) is None:
            found[file] = f"{each.program} is not installed"
    if os.environ.get(TOKEN_KEY_VARIABLE):
        found |= dict.fromkeys(OF_FIRST_KEY, "they begin with the first token key")
    return found


def program(name: str) -> str | None:
    """Return the path of a program; None: it is not installed."""
    # Debian's folder of servers is on root's PATH alone.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
