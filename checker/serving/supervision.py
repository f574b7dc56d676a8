"""Keeps processes alive: each process is started again when it ends.

    ends ──> pause ──> starts ──> lives `STEADY_S` or longer: the next pause is none at all
                          └─────> ends sooner: the next pause is twice this one, up to a cap

A renewal replaces the processes one after the other. The successor of a process that announces
itself starts beside it, and the process is asked to end once the successor has announced itself.
If a successor does not, the renewal ends there, and the process lives on.

A supervisor never gives up: a process that cannot start today, because a disk is full or a file is
missing, starts once the cause is gone, without an operator. A supervisor never stops a process that
lives because another process does not.

This file must not know what the processes do.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Final, Protocol

import msgspec

STEADY_S: Final = 10.0
"""A process that lived so long has started well: its end has another cause than its start."""

READY_S: Final = 60.0
"""How long a successor may take until it serves; a list of 10 million takes some seconds."""

PAUSE_S_MIN: Final = 0.5
PAUSE_S_MAX: Final = 15.0
"""Starting a worker takes a second of one core: a sick worker costs a fifteenth of a core."""

_WAKES_MAX: Final = 4096

_log = logging.getLogger(__name__)


class SupervisedProcess(Protocol):
    """The part of `multiprocessing.Process` that a supervisor needs."""

    @property
    def sentinel(self) -> int:
        """A file descriptor that is ready when the process has ended."""

    @property
    def pid(self) -> int | None:
        """The number of the process, once it was started."""

    @property
    def exitcode(self) -> int | None:
        """The code with which the process ended; None: the process lives."""

    def start(self) -> None:
        """Start the process. Raises OSError where the machine has no room for it."""

    def terminate(self) -> None:
        """Ask the process to end."""

    def kill(self) -> None:
        """End the process at once."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until the process has ended, so many seconds at most."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One process to keep alive; `make` returns a new one that is not started.

    `announces`: the process sends some bytes to the connection that `make` gets, once it serves.
    `ends_last`: the process ends after all the others, because they need it until then.
    """

    name: str
    make: Callable[[Connection], SupervisedProcess]
    ends_last: bool = False
    announces: bool = False


def pause_after(lived_s: float, pause_s: float) -> float:
    """Return the pause before the next start, from the length of the last life and pause."""
    if lived_s >= STEADY_S:
        return 0.0
    return min(max(2 * pause_s, PAUSE_S_MIN), PAUSE_S_MAX)


class Supervisor:
    """Keeps the processes of some jobs alive until it is asked to end."""

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        stop_timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = [_Place(job, clock) for job in jobs]
        self._stop_timeout_s = stop_timeout_s
        self._clock = clock
        self._is_ending = False
        self._must_renew = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    def end(self) -> None:
        """Let `run` return; may be called from a signal handler."""
        self._is_ending = True
        self._wake()

    def renew(self) -> None:
        """Let `run` replace all processes; may be called from a signal handler."""
        self._must_renew = True
        self._wake()

    def run(self) -> None:
        """Keep all processes alive until `end`; they live on until `stop`."""
        while not self._is_ending:
            for place in self._places:
                place.start_if_due()
            waits = [place.due_in_s for place in self._places if not place.lives]
            sentinels = [place.sentinel for place in self._places if place.lives]
            ready = connection.wait([*sentinels, self._woken], min(waits, default=None))
            for place in self._places:
                if place.lives and place.sentinel in ready:
                    place.ended()
            if self._woken in ready:
                os.read(self._woken, _WAKES_MAX)
            if self._must_renew and not self._is_ending:
                self._must_renew = False
                self._renew()

    def stop(self) -> None:
        """End all processes in order: ask, wait, and kill those that do not end."""
        for last in (False, True):
            self._stop([place for place in self._places if place.job.ends_last is last])

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # the pipe is full, so `run` wakes anyway
            os.write(self._waker, b"\0")

    def _renew(self) -> None:
        _log.info("all processes are replaced, one after the other")
        for place in sorted(self._places, key=lambda each: each.job.ends_last):
            if place.job.announces and not place.start_successor():
                return
            successor = place.successor
            if successor is not None:
                connection.wait([*successor.signs, self._woken], READY_S)
                if self._is_ending or not successor.has_announced_itself():
                    place.drop_successor(self._stop_timeout_s)
                    return
            if place.lives:
                place.terminate()
                place.finish(self._stop_timeout_s)
            place.succeed()
        _log.info("all processes are replaced")

    def _stop(self, places: Iterable["_Place"]) -> None:
        living = [place for place in places if place.lives]
        for place in living:
            place.terminate()
        until = self._clock() + self._stop_timeout_s
        for place in living:
            place.finish(max(until - self._clock(), 0.0))


class _Started:
    """A process that was started, and the connection by which it announces itself."""

    def __init__(self, job: Job, started_at: float) -> None:
        """Start a process. Raises OSError where the machine has no room for it."""
        self._name = job.name
        self.started_at = started_at
        self._heard, ready = connection.Pipe(duplex=False)
        with ready:
            try:
                self._process = job.make(ready)
                self._process.start()
            except OSError:
                self._heard.close()
                raise

    @property
    def sentinel(self) -> int:
        return self._process.sentinel

    @property
    def signs(self) -> "Sequence[int | Connection]":
        """One of these is ready once the process has announced itself, or has ended."""
        return (self._process.sentinel, self._heard)

    def has_announced_itself(self) -> bool:
        try:
            return self._heard.poll() and bool(self._heard.recv_bytes())
        except (EOFError, OSError):
            return False

    def ended(self) -> str:
        """Take leave of a process that has ended, and return its end in words."""
        self._process.join()
        self._heard.close()
        return f"(process {self._process.pid}) has ended with code {self._process.exitcode}"

    def terminate(self) -> None:
        self._process.terminate()

    def finish(self, timeout_s: float) -> None:
        """Wait for the end of the process, so long at most; then kill it."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            _log.warning("%s does not end when it is asked to: it is killed", self._name)
            self._process.kill()
            self._process.join()
        self._heard.close()


class _Place:
    """One job's process, if it lives, its successor, and when the next one is due."""

    def __init__(self, job: Job, clock: Callable[[], float]) -> None:
        self.job = job
        self.successor: _Started | None = None
        self._clock = clock
        self._process: _Started | None = None
        self._pause_s = 0.0
        self._due_at = clock()

    @property
    def lives(self) -> bool:
        return self._process is not None

    @property
    def sentinel(self) -> int:
        assert self._process is not None
        return self._process.sentinel

    @property
    def due_in_s(self) -> float:
        return max(self._due_at - self._clock(), 0.0)

    def start_if_due(self) -> None:
        if self._process is not None or self._clock() < self._due_at:
            return
        started_at = self._clock()
        try:
            self._process = _Started(self.job, started_at)
        except OSError as error:
            # No memory or no room for another process: both pass.
            self._wait(started_at, f"cannot be started ({type(error).__name__})")

    def start_successor(self) -> bool:
        try:
            self.successor = _Started(self.job, self._clock())
        except OSError as error:
            _log.warning("%s cannot be replaced (%s)", self.job.name, type(error).__name__)
            return False
        return True

    def drop_successor(self, timeout_s: float) -> None:
        assert self.successor is not None
        _log.warning("the successor of %s does not serve: it ends", self.job.name)
        successor, self.successor = self.successor, None
        successor.terminate()
        successor.finish(timeout_s)

    def succeed(self) -> None:
        """Put the successor, if any, in the place; else the next process is due now."""
        self._process, self.successor = self.successor, None
        self._pause_s = 0.0
        self._due_at = self._clock()

    def ended(self) -> None:
        assert self._process is not None
        process, self._process = self._process, None
        self._wait(process.started_at, process.ended())

    def terminate(self) -> None:
        assert self._process is not None
        self._process.terminate()

    def finish(self, timeout_s: float) -> None:
        """Wait for the end of the process, so long at most; then kill it."""
        assert self._process is not None
        process, self._process = self._process, None
        process.finish(timeout_s)

    def _wait(self, started_at: float, event: str) -> None:
        now = self._clock()
        self._pause_s = pause_after(now - started_at, self._pause_s)
        self._due_at = now + self._pause_s
        _log.warning("%s %s; it starts again in %.1f s", self.job.name, event, self._pause_s)
