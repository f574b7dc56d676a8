"""Sends at moments that do not depend on answers, as customers come (a Poisson process).

A closed load waits for its answers: a slow server gets fewer questions, and its worst moments are
hardly measured. Here a latency counts from the moment at which a question was due, so the time
that a question waits for a free connection is part of its latency.

The loop never sleeps, because timers of one millisecond would send questions in bursts. So this
load takes one core. At 20 000 questions a second a question costs this process about 15 µs.
"""

import select
import socket
from array import array
from collections import deque
from collections.abc import Sequence
from random import Random
from time import perf_counter

import msgspec

from loadtest.closed_load import FailedRoundError, LoadRound
from loadtest.generator import LOOPBACK, answer_size, percentile

GRACE_SECONDS = 5.0
"""The last answers may take so long after the time is over."""

_READ_BYTES = 1 << 16


class OpenArrivals(msgspec.Struct, frozen=True, kw_only=True):
    """Questions to one server at an average rate; each connection has one question at a time."""

    port: int
    requests: Sequence[bytes]
    per_second: float
    connections: int
    seed: int


class _Line:
    """One connection: its unread bytes, and the moment at which its question was due."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((LOOPBACK, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due_at = 0.0
        self.partial = b""


class _Run:
    def __init__(self, arrivals: OpenArrivals) -> None:
        self._arrivals = arrivals
        self._lines = {line.socket.fileno(): line for line in self._opened()}
        self._free = deque(self._lines.values())
        self._poll = select.epoll()
        for number in self._lines:
            self._poll.register(number, select.EPOLLIN)
        self._sent = 0
        self.latencies = array("d")

    def _opened(self) -> list[_Line]:
        return [_Line(self._arrivals.port) for _ in range(self._arrivals.connections)]

    def go(self, seconds: float) -> float:
        """Send for some seconds and wait for the last answers; return the seconds of sending."""
        rng = Random(self._arrivals.seed)
        began_at = perf_counter()
        next_at = began_at
        waiting: deque[float] = deque()
        while (now := perf_counter()) < began_at + seconds:
            while next_at <= now:
                waiting.append(next_at)
                next_at += rng.expovariate(self._arrivals.per_second)
            while waiting and self._free:
                self._ask(waiting.popleft())
            self._take_answers()
        ended_at = perf_counter()
        # The questions that wait would only prolong the run; their delay is in the others' latency.
        while len(self._free) < len(self._lines):
            if perf_counter() > ended_at + GRACE_SECONDS:
                raise FailedRoundError("an answer stays out")
            self._take_answers()
        return ended_at - began_at

    def close(self) -> None:
        self._poll.close()
        for line in self._lines.values():
            line.socket.close()

    def _ask(self, due_at: float) -> None:
        line = self._free.popleft()
        line.due_at = due_at
        line.socket.sendall(self._arrivals.requests[self._sent % len(self._arrivals.requests)])
        self._sent += 1

    def _take_answers(self) -> None:
        for number, _ in self._poll.poll(0):
            line = self._lines[number]
            read = line.socket.recv(_READ_BYTES)
            if not read:
                raise FailedRoundError("the server closed a connection")
            data = line.partial + read
            size = answer_size(data)
            if size is None or len(data) < size:
                line.partial = data
                continue
            if data[9:12] != b"200":
                raise FailedRoundError(f"an answer with status {data[9:12].decode()}")
            line.partial = b""
            self.latencies.append(perf_counter() - line.due_at)
            self._free.append(line)


def arrive(arrivals: OpenArrivals, seconds: float) -> LoadRound:
    """Return the round of some seconds of arrivals.

    Raises:
        FailedRoundError: no answer, a status other than 200, or a closed connection.
    """
    run = _Run(arrivals)
    try:
        took = run.go(seconds)
    finally:
        run.close()
    if not run.latencies:
        raise FailedRoundError("no answer")
    ordered = sorted(run.latencies)
    return LoadRound(
        answers=len(ordered),
        seconds=took,
        p50_ms=percentile(ordered, 0.50) * 1000,
        p99_ms=percentile(ordered, 0.99) * 1000,
    )
