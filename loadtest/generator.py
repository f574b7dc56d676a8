"""A closed-loop HTTP/1.1 load generator: each connection has one request at a time.

The generator leaves the machine to the server under test. It builds request bytes beforehand, and
reads only the status and the length of an answer. Loads are bounded in count and time, and go to
127.0.0.1 alone. A chunked answer is refused, because to read it would cost too much.
"""

import asyncio
import re
from array import array
from collections import Counter
from collections.abc import Generator, Sequence
from functools import partial
from itertools import cycle, islice
from math import ceil
from time import perf_counter
from typing import cast

import msgspec
import uvloop

LOOPBACK = "127.0.0.1"
SECONDS_MAX = 120.0
CONNECTIONS_MAX = 1024
REQUESTS_MAX = 5_000_000
"""About 40 MB of latencies."""

Talk = Generator[bytes, bytes, None]
"""The talk of one connection: yields a request, receives the answer, and goes on."""

_GRACE_SECONDS = 5.0
"""The last answers may take so long after the time is over."""

_END_OF_HEAD = b"\r\n\r\n"
_content_length = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class UnreadableAnswerError(Exception):
    """The server sent an answer whose end cannot be found."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The requests to send, the port, and two bounds; the load ends at the first bound.

    Raises:
        ValueError: a bound is too large, or the host is not 127.0.0.1. Load is for own servers.
    """

    port: int
    requests: Sequence[bytes]
    host: str = LOOPBACK
    connections: int = 16
    seconds: float = 3.0
    count_max: int = REQUESTS_MAX

    def __post_init__(self) -> None:
        if self.host != LOOPBACK:
            raise ValueError(f"load goes to {LOOPBACK} alone")
        if not self.requests:
            raise ValueError("there is no request to send")
        if not 1 <= self.connections <= CONNECTIONS_MAX:
            raise ValueError(f"connections are 1 to {CONNECTIONS_MAX}")
        if not 0 < self.seconds <= SECONDS_MAX:
            raise ValueError(f"a load lasts up to {SECONDS_MAX} seconds")
        if not 1 <= self.count_max <= REQUESTS_MAX:
            raise ValueError(f"a load has 1 to {REQUESTS_MAX} requests")


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answers to a load. Latencies are nearest-rank percentiles of all, in milliseconds."""

    answers: int
    seconds: float
    per_second: float
    statuses: dict[int, int]
    lost_connections: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class _Run:
    """The state that the connections of one load share."""

    def __init__(self, connections: int, finished: asyncio.Future[None]) -> None:
        self.open = connections
        self.finished = finished
        self.latencies = array("d")
        self.statuses: Counter[bytes] = Counter()
        self.lost = 0
        self.started_at = perf_counter()

    def close_one(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.finished.done():
            self.finished.set_result(None)

    def fail(self, fault: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(fault)

    def report(self) -> LoadReport:
        seconds = perf_counter() - self.started_at
        ordered = sorted(self.latencies)
        return LoadReport(
            answers=len(ordered),
            seconds=seconds,
            per_second=len(ordered) / seconds,
            statuses={int(status): count for status, count in sorted(self.statuses.items())},
            lost_connections=self.lost,
            p50_ms=percentile(ordered, 0.50) * 1000,
            p90_ms=percentile(ordered, 0.90) * 1000,
            p99_ms=percentile(ordered, 0.99) * 1000,
            max_ms=percentile(ordered, 1.0) * 1000,
        )


class _Connection(asyncio.Protocol):
    """One keep-alive connection: sends, waits for the whole answer, sends again."""

    def __init__(self, run: _Run, talk: Talk) -> None:
        self._run = run
        self._talk = talk
        self._partial = b""
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._go_on(None)

    def data_received(self, data: bytes) -> None:
        if self._partial:
            data = self._partial + data
        try:
            size = answer_size(data)
        except UnreadableAnswerError as fault:
            self._run.fail(fault)
            return
        if size is None or len(data) < size:
            self._partial = data
            return
        self._partial = b""
        self._is_waiting = False
        self._run.latencies.append(perf_counter() - self._sent_at)
        self._run.statuses[data[9:12]] += 1
        self._go_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.lost += self._is_waiting
        self._run.close_one()

    def _go_on(self, answer: bytes | None) -> None:
        try:
            request = next(self._talk) if answer is None else self._talk.send(answer)
        except StopIteration:
            self._transport.close()
        # An error of a talk ends the load, because no other task would raise it.
        except Exception as fault:
            self._run.fail(fault)
        else:
            self._is_waiting = True
            self._sent_at = perf_counter()
            self._transport.write(request)


def answer_size(data: bytes) -> int | None:
    """Return the size of an answer, head and body; None while the head is incomplete."""
    head = data.find(_END_OF_HEAD)
    if head < 0:
        return None
    length = _content_length.search(data, 0, head)
    if length is None:
        raise UnreadableAnswerError("an answer without Content-Length")
    return head + len(_END_OF_HEAD) + int(length[1])


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of ascending figures; 0.0 where there are none."""
    if not ordered:
        return 0.0
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def post(
    path: str, body: bytes, *, key: str | None = None, idempotency_key: str | None = None
) -> bytes:
    """Return the bytes of a POST of JSON; `key` goes into the Authorization field."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    said_once = f"Idempotency-Key: {idempotency_key}\r\n" if idempotency_key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n{authorization}{said_once}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


async def send(load: Load) -> LoadReport:
    """Send a load and return a report of the answers. Raises as `converse`."""
    requests = islice(cycle(load.requests), load.count_max)
    deadline = perf_counter() + load.seconds

    def in_turn() -> Talk:
        while perf_counter() < deadline:
            request = next(requests, None)
            if request is None:
                return
            yield request

    talks = [in_turn() for _ in range(load.connections)]
    return await converse(load.port, talks, seconds_max=load.seconds)


async def converse(port: int, talks: Sequence[Talk], *, seconds_max: float) -> LoadReport:
    """Hold each talk on a connection of its own to 127.0.0.1, and return a report of the answers.

    Raises an error of a talk, and:
        ConnectionError: nobody listens.
        TimeoutError: an answer is missing, or a talk does not end in time.
        UnreadableAnswerError: the end of an answer cannot be found.
    """
    loop = asyncio.get_running_loop()
    run = _Run(len(talks), loop.create_future())
    transports: list[asyncio.BaseTransport] = []
    try:
        async with asyncio.timeout(seconds_max + _GRACE_SECONDS):
            for talk in talks:
                connected, _ = await loop.create_connection(
                    partial(_Connection, run, talk), LOOPBACK, port
                )
                transports.append(connected)
            await run.finished
    finally:
        for transport in transports:
            transport.close()
    return run.report()


def send_on_uvloop(load: Load) -> LoadReport:
    """Send a load from an event loop of its own."""
    return uvloop.run(send(load))
