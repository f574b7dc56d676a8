"""The load generator: bounded, on this machine alone, and counting what comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from loadtest.generator import (
    LOOPBACK,
    SECONDS_MAX,
    Load,
    UnreadableAnswerError,
    answer_size,
    converse,
    percentile,
    post,
    send,
)
from loadtest.trivial_server import ANSWER

pytestmark = pytest.mark.anyio


class ScriptedServer(asyncio.Protocol):
    """Answers each request by the pieces, a write for each turn of the loop; none: hangs up."""

    def __init__(self, pieces: tuple[bytes, ...], received: list[bytes]) -> None:
        self.pieces = pieces
        self.received = received
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received.append(data.partition(b"\r\n\r\n")[2])
        if not self.pieces:
            self.transport.close()
        self.answer(list(self.pieces))

    def answer(self, pieces):
        if pieces and not self.transport.is_closing():
            self.transport.write(pieces.pop(0))
            asyncio.get_running_loop().call_soon(self.answer, pieces)

    def connection_lost(self, exc):
        self.closed.set_result(None)


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve on this machine; gives the port and the bodies received so far."""
    received: list[bytes] = []
    connections: list[ScriptedServer] = []

    def connect() -> ScriptedServer:
        connections.append(ScriptedServer(pieces, received))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connect, LOOPBACK, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], received
    await asyncio.gather(*(connection.closed for connection in connections))


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", "0.0.0.0", "localhost", "::1", ""])
def test_a_host_that_is_not_127_0_0_1_is_refused(host):
    with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
        Load(host=host, port=80, requests=[b"x"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests": []},
        {"connections": 0},
        {"connections": 100_000},
        {"seconds": 0},
        {"seconds": SECONDS_MAX + 1},
        {"count_max": 0},
    ],
)
def test_a_load_without_bounds_is_refused(wrong):
    with pytest.raises(ValueError, match=r"request|connections|lasts"):
        Load(**{"port": 80, "requests": [b"x"], **wrong})


async def test_a_load_ends_at_its_count_and_goes_through_its_requests_in_turn():
    async with answering(ANSWER) as (port, received):
        requests = [post("/", body) for body in (b"a", b"b", b"c")]
        report = await send(Load(port=port, requests=requests, connections=2, count_max=9))
    assert report.answers == 9
    assert report.statuses == {200: 9}
    assert report.lost_connections == 0
    assert sorted(received) == [b"a"] * 3 + [b"b"] * 3 + [b"c"] * 3


async def test_a_load_ends_at_its_time():
    async with answering(ANSWER) as (port, _):
        report = await send(Load(port=port, requests=[post("/", b"")], seconds=0.05))
    assert report.answers > 0
    assert report.seconds >= 0.05


async def test_an_answer_in_pieces_is_one_answer():
    pieces = (ANSWER[:5], ANSWER[5:-3], ANSWER[-3:])
    async with answering(*pieces) as (port, _):
        report = await send(Load(port=port, requests=[post("/", b"")], connections=1, count_max=5))
    assert report.statuses == {200: 5}


async def test_statuses_are_counted_apart():
    refusal = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n"
    async with answering(refusal) as (port, _):
        report = await send(Load(port=port, requests=[post("/", b"")], connections=1, count_max=3))
    assert report.statuses == {429: 3}


async def test_a_connection_that_the_server_drops_unanswered_is_counted_as_lost():
    async with answering() as (port, _):
        report = await send(Load(port=port, requests=[post("/", b"")], connections=3))
    assert report.answers == 0
    assert report.lost_connections == 3


async def test_an_answer_without_a_length_stops_the_load():
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    async with answering(chunked) as (port, _):
        with pytest.raises(UnreadableAnswerError):
            await send(Load(port=port, requests=[post("/", b"")], connections=1))


async def test_a_talk_says_next_what_follows_from_the_answer():
    async with answering(ANSWER) as (port, received):

        def talk():
            answer = yield post("/", b"first")
            yield post("/", answer[-2:])

        report = await converse(port, [talk()], seconds_max=1.0)
    assert received == [b"first", b"{}"]
    assert report.answers == 2
    assert report.max_ms >= report.p50_ms > 0


async def test_what_a_talk_finds_wrong_ends_all_talks():
    async with answering(ANSWER) as (port, _):

        def talk(*, is_content):
            while True:
                yield post("/", b"")
                if not is_content:
                    raise LookupError

        with pytest.raises(LookupError):
            await converse(port, [talk(is_content=True), talk(is_content=False)], seconds_max=9.0)


def test_an_incomplete_head_has_no_size_yet():
    assert answer_size(b"HTTP/1.1 200 OK\r\nContent-Le") is None
    assert answer_size(ANSWER) == len(ANSWER)


@pytest.mark.parametrize(("share", "figure"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_percentiles_are_by_nearest_rank(share, figure):
    assert percentile(list(range(1, 101)), share) == figure


def test_the_percentile_of_nothing_is_nought():
    assert percentile([], 0.5) == 0.0


def test_a_post_carries_keys_and_length():
    sent = post("/v1/checks", b"{}", key="k", idempotency_key="once")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert body == b"{}"
    assert b"Authorization: Bearer k" in head
    assert b"Idempotency-Key: once" in head
    assert b"Content-Length: 2" in head
