"""The row of a silent crowd: checks a second while callers without a key hold connections open."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from loadtest.children import ChildError
from loadtest.closed_load import ClosedLoad
from loadtest.questions import check_request, innocents
from loadtest.rows.row import WARM_UP_SECONDS, Ground, Row, against

IDLE = 10_000
SLOW = 500
CROWD_GOAL = 0.9


def crowd(ground: Ground) -> list[Row]:
    """Measure checks beside a silent crowd, against checks without."""
    load = ClosedLoad(
        port=ground.run.port,
        requests=[check_request(each, ground.run.key) for each in innocents(ground.population)],
        connections=ground.plan.connections,
    )
    load.send(WARM_UP_SECONDS)
    beside, without = [], []
    for _ in range(ground.plan.rounds):
        without.append(load.send(ground.plan.round_seconds))
        with silent_crowd(ground.run.port, idle=IDLE, slow=SLOW):
            beside.append(load.send(ground.plan.round_seconds))
    title = f"innocent beside {IDLE} idle connections and {SLOW} slow senders, against without"
    return [against(title, ("beside", beside), ("without", without), at_least=CROWD_GOAL)]


@contextmanager
def silent_crowd(port: int, *, idle: int, slow: int) -> Iterator[None]:
    """Hold a crowd meanwhile. Raises ChildError where the crowd cannot come."""
    command = [sys.executable, "-m", "loadtest.silent_crowd", str(port), str(idle), str(slow)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            if child.stdout.readline() != "ready\n":
                raise ChildError("the crowd did not come")
            yield
        finally:
            child.stdin.close()
            child.wait()
