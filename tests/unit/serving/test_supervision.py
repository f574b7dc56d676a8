"""Processes are started again one by one: none is given up, and none pays for another."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import pytest

from checker.serving.supervision import (
    PAUSE_S_MAX,
    PAUSE_S_MIN,
    STEADY_S,
    Job,
    Supervisor,
    pause_after,
)
from tests.support.fake_clock import FakeClock


class Fake:
    """A process whose end the test decides."""

    def __init__(self, number: int, ready: Connection, *, is_stubborn: bool = False) -> None:
        # As a process does that has the connection from its parent.
        self._ready = os.dup(ready.fileno())
        self.pid: int | None = number
        self.exitcode: int | None = None
        self.was_killed = False
        self._is_stubborn = is_stubborn
        self.sentinel, self._ender = os.pipe()
        self.started = threading.Event()

    def start(self) -> None:
        self.started.set()

    def terminate(self) -> None:
        if not self._is_stubborn:
            self.die(0)

    def kill(self) -> None:
        self.was_killed = True
        self.die(-9)

    def die(self, code: int) -> None:
        if self.exitcode is None:
            self.exitcode = code
            os.close(self._ender)
            os.close(self._ready)

    def join(self, timeout: float | None = None) -> None:
        assert self.exitcode is not None or timeout is not None


class Kind:
    """Makes the processes of one job; `made` are all so far."""

    def __init__(
        self,
        name: str,
        *,
        is_stubborn: bool = False,
        ends_last: bool = False,
        announces: bool = False,
    ) -> None:
        self.made: list[Fake] = []
        self.broken = 0
        self.announces = announces
        self._is_stubborn = is_stubborn
        self.job = Job(name=name, make=self._make, ends_last=ends_last, announces=announces)
        self.newest = threading.Semaphore(0)

    def _make(self, ready: Connection) -> Fake:
        if self.announces:
            ready.send_bytes(b"ready")
        if self.broken:
            self.broken -= 1
            raise OSError("no memory")
        self.made.append(Fake(len(self.made), ready, is_stubborn=self._is_stubborn))
        self.newest.release()
        return self.made[-1]

    def wait(self) -> Fake:
        """Wait until one more has been made."""
        assert self.newest.acquire(timeout=30)
        return self.made[-1]


@contextmanager
def supervised(*kinds: Kind) -> Iterator[Supervisor]:
    """Supervise in a thread meanwhile, and stop all at the end."""
    # Each look at the clock is later than the longest pause ends.
    clock = FakeClock(step_s=2 * PAUSE_S_MAX)
    supervisor = Supervisor([kind.job for kind in kinds], stop_timeout_s=1.0, clock=clock)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.end()
        thread.join(30)
        supervisor.stop()
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("lived_s", "pause_s", "then"),
    [
        (STEADY_S, PAUSE_S_MAX, 0.0),
        (0.0, 0.0, PAUSE_S_MIN),
        (0.0, PAUSE_S_MIN, 2 * PAUSE_S_MIN),
        (STEADY_S / 2, PAUSE_S_MAX, PAUSE_S_MAX),
    ],
)
def test_a_pause_grows_with_each_early_end_up_to_a_cap(
    lived_s: float, pause_s: float, then: float
) -> None:
    assert pause_after(lived_s, pause_s) == then


def test_a_process_that_dies_again_and_again_is_started_each_time_and_the_other_lives_on() -> None:
    sick, healthy = Kind("sick"), Kind("healthy")
    with supervised(sick, healthy):
        for _ in range(50):
            sick.wait().die(1)
        sick.wait()
        assert len(healthy.made) == 1
        assert healthy.made[0].exitcode is None


def test_a_process_that_cannot_even_be_made_is_tried_again() -> None:
    poor = Kind("poor")
    poor.broken = 3
    with supervised(poor):
        poor.wait()


def test_at_the_end_those_that_the_others_need_end_last() -> None:
    needed = Kind("needed", ends_last=True)
    worker = Kind("worker")
    with supervised(needed, worker) as supervisor:
        needed.wait()
        worker.wait()
        supervisor.end()
    assert needed.made[0].exitcode == worker.made[0].exitcode == 0


def test_a_process_that_does_not_listen_is_killed_at_the_end() -> None:
    stubborn, polite = Kind("stubborn", is_stubborn=True), Kind("polite")
    with supervised(stubborn, polite):
        stubborn.wait()
        polite.wait()
    assert (stubborn.made[0].was_killed, polite.made[0].was_killed) == (True, False)


def test_a_renewal_starts_each_successor_before_the_process_ends() -> None:
    first, second = Kind("first", announces=True), Kind("second", announces=True)
    needed = Kind("needed", ends_last=True)
    with supervised(needed, first, second) as supervisor:
        for kind in (needed, first, second):
            kind.wait()
        supervisor.renew()
        for kind in (first, second, needed):
            assert kind.wait().exitcode is None
        assert [kind.made[0].exitcode for kind in (first, second, needed)] == [0, 0, 0]
        assert [len(kind.made) for kind in (first, second, needed)] == [2, 2, 2]


def test_a_renewal_stops_at_a_successor_that_ends_and_all_processes_live_on() -> None:
    sick, other = Kind("sick", announces=True), Kind("other", announces=True)
    with supervised(sick, other) as supervisor:
        sick.wait()
        other.wait()
        sick.announces = False
        supervisor.renew()
        sick.wait().die(1)
        supervisor.renew()
        sick.wait().die(1)
    assert [process.exitcode for process in sick.made] == [0, 1, 1]
    assert [process.exitcode for process in other.made] == [0]


def test_the_end_does_not_wait_for_a_successor() -> None:
    slow = Kind("slow", announces=True)
    with supervised(slow) as supervisor:
        slow.wait()
        slow.announces = False
        supervisor.renew()
        slow.wait()
        supervisor.end()
    assert [process.exitcode for process in slow.made] == [0, 0]
