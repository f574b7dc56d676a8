"""Sends at a rate that does not wait for answers, and notes the time of each answer.

`loadtest.generator` sends as fast as a server answers, to find a ceiling. Here the rate is given,
so a slow answer does not delay the questions after it. A latency begins when a question is sent, or
waits for a free connection. The lateness of the timer is no part of a latency.
`loadtest.open_arrivals` has higher rates, and takes a whole core.
"""

import asyncio
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter

import msgspec

from loadtest.generator import LOOPBACK, answer_size, percentile

ANSWER_SECONDS_MAX = 10.0
"""A measurement fails after so long without an answer."""

_READ_BYTES = 1 << 16


class PacedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request."""

    status: int
    body: bytes


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """Nearest-rank percentiles in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: "array[float]") -> "Latencies":
        """Return the percentiles.

        Raises:
            ValueError: there was no answer.
        """
        if not seconds:
            raise ValueError("nothing was answered, so there is no latency")
        ordered = sorted(seconds)
        return cls(
            count=len(ordered),
            p50_ms=percentile(ordered, 0.50) * 1000,
            p99_ms=percentile(ordered, 0.99) * 1000,
            max_ms=ordered[-1] * 1000,
        )

    def text(self) -> str:
        """Return the latencies as a line."""
        return (
            f"p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms, max {self.max_ms:.1f} ms "
            f"of {self.count}"
        )


class Lines:
    """Open connections to one server, each with one request at a time."""

    def __init__(self, free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )
        for line in free:
            self._free.put_nowait(line)

    async def ask(self, request: bytes) -> PacedAnswer:
        """Send on the line that has been free the longest, so that all lines take turns.

        Raises:
            TimeoutError: no answer comes.
            ConnectionError: the server closed the connection.
        """
        reader, writer = line = await self._free.get()
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                writer.write(request)
                return await _read_answer(reader)
        finally:
            self._free.put_nowait(line)


@asynccontextmanager
async def lines(port: int, connections: int) -> AsyncIterator[Lines]:
    """Open lines to a server on 127.0.0.1, and close them."""
    opened = [await asyncio.open_connection(LOOPBACK, port) for _ in range(connections)]
    try:
        yield Lines(opened)
    finally:
        for _, writer in opened:
            writer.close()


async def keep_rate(
    per_second: float, is_over: Callable[[], bool], act: Callable[[int], Awaitable[None]]
) -> None:
    """Begin an act at every due moment until `is_over`, and wait for the acts under way.

    The first act that fails ends all acts, with its own error.
    """
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in count():
            await asyncio.sleep(max(0.0, began_at + number / per_second - loop.time()))
            if is_over():
                return
            group.create_task(_done(act(number)))


class PacedQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """Questions of one kind in turn, again and again."""

    port: int
    requests: list[bytes]
    per_second: float
    connections: int


async def ask_until(asking: PacedQuestions, is_over: Callable[[], bool]) -> Latencies:
    """Ask at the given rate until `is_over`, and return the latencies.

    Raises:
        ValueError: an answer has another status than 200.
    """
    seconds = array("d")
    statuses: Counter[int] = Counter()
    async with lines(asking.port, asking.connections) as open_lines:

        async def act(number: int) -> None:
            began_at = perf_counter()
            answer = await open_lines.ask(asking.requests[number % len(asking.requests)])
            seconds.append(perf_counter() - began_at)
            statuses[answer.status] += 1

        await keep_rate(asking.per_second, is_over, act)
    if set(statuses) - {200}:
        raise ValueError(f"answers that were no 200: {dict(statuses)}")
    return Latencies.of(seconds)


async def _done(act: Awaitable[None]) -> None:
    await act


async def _read_answer(reader: asyncio.StreamReader) -> PacedAnswer:
    data = b""
    while (size := answer_size(data)) is None or len(data) < size:
        more = await reader.read(_READ_BYTES)
        if not more:
            raise ConnectionError("the server hung up before it had answered")
        data += more
    head_ends = data.index(b"\r\n\r\n") + 4
    return PacedAnswer(status=int(data[9:12]), body=data[head_ends:size])
