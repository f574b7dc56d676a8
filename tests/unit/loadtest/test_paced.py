"""Sending at a rate: the rate is kept whatever the answers do, and failures give no figure."""

import asyncio
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from loadtest.generator import post
from loadtest.paced import Latencies, PacedQuestions, ask_until, keep_rate, lines

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def server(answer: Callable[[bytes], Awaitable[bytes]]) -> AsyncIterator[int]:
    """Answer requests of this machine by a function of the request's body; gives the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                given = await answer(await reader.readexactly(size))
                if not given:
                    break
                # In two pieces, as networks do.
                writer.write(given[:20])
                await writer.drain()
                writer.write(given[20:])
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def after(limit: int) -> Callable[[], bool]:
    """Be over at the look after so many."""
    looks = iter(range(limit))
    return lambda: next(looks, None) is None


def asking(port: int, *bodies: bytes, per_second: float = 1000.0) -> PacedQuestions:
    requests = [post("/", body) for body in bodies]
    return PacedQuestions(port=port, requests=requests, per_second=per_second, connections=2)


def test_every_question_is_asked_in_its_turn():
    asked = []

    async def answer(body: bytes) -> bytes:
        asked.append(body)
        return OK

    async def run() -> Latencies:
        async with server(answer) as port:
            return await ask_until(asking(port, b"a", b"b"), after(5))

    latencies = asyncio.run(run())

    assert latencies.count == 5
    assert sorted(asked) == [b"a", b"a", b"a", b"b", b"b"]


def test_an_answer_that_is_no_200_gives_no_figure():
    async def answer(_body: bytes) -> bytes:
        return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"

    async def run() -> Latencies:
        async with server(answer) as port:
            return await ask_until(asking(port, b"a"), after(3))

    with pytest.raises(ValueError, match="503"):
        asyncio.run(run())


def test_a_server_that_hangs_up_gives_no_figure():
    async def answer(_body: bytes) -> bytes:
        return b""

    async def run() -> Latencies:
        async with server(answer) as port:
            return await ask_until(asking(port, b"a"), after(1))

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(run())
    assert caught.group_contains(ConnectionError)


def test_slow_answers_do_not_thin_out_the_questions_after_them():
    begun = []
    released = asyncio.Event()

    async def act(number: int) -> None:
        begun.append(number)
        await released.wait()

    def is_over() -> bool:
        if len(begun) < 20:
            return False
        released.set()
        return True

    asyncio.run(keep_rate(1000.0, is_over, act))

    assert begun[:20] == list(range(20))


def test_a_line_carries_one_question_at_a_time():
    async def run() -> list[int]:
        order = []

        async def answer(body: bytes) -> bytes:
            order.append(int(body))
            return OK

        async with server(answer) as port, lines(port, 1) as one:
            answers = await asyncio.gather(*(one.ask(post("/", b"%d" % n)) for n in range(3)))
        assert [given.status for given in answers] == [200, 200, 200]
        assert {given.body for given in answers} == {b"{}"}
        return order

    assert asyncio.run(run()) == [0, 1, 2]


def test_latencies_are_nearest_ranks_in_milliseconds():
    latencies = Latencies.of(array("d", [number / 1000 for number in range(100, 0, -1)]))

    assert (latencies.count, latencies.p50_ms, latencies.p99_ms) == (100, 50.0, 99.0)
    assert latencies.max_ms == 100.0


def test_no_answer_at_all_is_no_figure():
    with pytest.raises(ValueError, match="nothing was answered"):
        Latencies.of(array("d"))
