"""A body that stops on its way is given up, and old callers without a key give way to new ones."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from checker.api.bodies import LOOKS_MAX, Bodies
from checker.api.exchange import read_body
from checker.errors import BodyStalled, Crowded

LIMIT = 100


class Sender:
    """A caller whose parts come when the test says so."""

    def __init__(self) -> None:
        self._parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, body: bytes, *, more: bool) -> None:
        self._parts.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def receive(self) -> dict[str, Any]:
        return await self._parts.get()


async def keyless(bodies: Bodies, sender: Sender) -> bytes:
    with bodies.keyless(sender.receive) as receive:
        return await read_body(receive, LIMIT)


async def watched(bodies: Bodies, sender: Sender) -> bytes:
    return await read_body(bodies.watched(sender.receive), LIMIT)


async def of_a_check(bodies: Bodies, sender: Sender) -> bytes:
    return await bodies.read(sender.receive, LIMIT)


async def of_a_routed_check(bodies: Bodies, sender: Sender) -> bytes:
    return await bodies.read(bodies.watched(sender.receive), LIMIT)


Read = Callable[[Bodies, Sender], Awaitable[bytes]]
every_way = pytest.mark.parametrize("read", [keyless, watched, of_a_check, of_a_routed_check])

pytestmark = pytest.mark.anyio


def start(read: Read, bodies: Bodies, sender: Sender) -> "asyncio.Task[bytes]":
    async def reading() -> bytes:
        return await read(bodies, sender)

    return asyncio.create_task(reading())


async def let_all_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def look(bodies: Bodies, times: int) -> None:
    for _ in range(times):
        bodies.look()
        await let_all_run()


@every_way
async def test_a_body_that_comes_is_read(read: Read) -> None:
    bodies, sender = Bodies(), Sender()
    sender.send(b"ab", more=True)
    sender.send(b"cd", more=False)
    assert await read(bodies, sender) == b"abcd"


@every_way
async def test_a_body_that_makes_no_progress_is_given_up(read: Read) -> None:
    bodies, sender = Bodies(), Sender()
    reading = start(read, bodies, sender)
    sender.send(b"ab", more=True)
    await let_all_run()
    await look(bodies, LOOKS_MAX)
    assert not reading.done()
    await look(bodies, 1)
    with pytest.raises(BodyStalled):
        await reading
    assert not reading.cancelled()


@every_way
async def test_a_body_that_makes_progress_may_take_as_long_as_it_takes(read: Read) -> None:
    bodies, sender = Bodies(), Sender()
    reading = start(read, bodies, sender)
    for _ in range(5):
        await look(bodies, LOOKS_MAX)
        sender.send(b"a", more=True)
        await let_all_run()
    sender.send(b"b", more=False)
    assert await reading == b"aaaaab"


@every_way
async def test_a_request_that_somebody_else_cancels_is_cancelled(read: Read) -> None:
    bodies = Bodies()
    reading = start(read, bodies, Sender())
    await let_all_run()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_the_oldest_caller_without_a_key_gives_way_and_one_with_a_key_does_not() -> None:
    bodies = Bodies(keyless_max=2)
    with_key = start(watched, bodies, Sender())
    dripping = Sender()
    oldest = start(keyless, bodies, dripping)
    await let_all_run()
    second = start(keyless, bodies, Sender())
    await let_all_run()
    dripping.send(b"a", more=True)  # progress makes it no younger
    await let_all_run()
    honest = Sender()
    honest.send(b"whole", more=False)
    assert await start(keyless, bodies, honest) == b"whole"
    with pytest.raises(Crowded):
        await oldest
    assert not with_key.done()
    assert not second.done()
    for left in (with_key, second):
        left.cancel()


async def test_a_request_that_is_over_counts_no_more() -> None:
    bodies = Bodies(keyless_max=1)
    for _ in range(3):
        too_large = Sender()
        too_large.send(b"a" * (LIMIT + 1), more=True)
        with pytest.raises(Exception, match="more than"):
            await keyless(bodies, too_large)
    waits = start(keyless, bodies, Sender())
    await let_all_run()
    assert not waits.done()
    waits.cancel()


@every_way
async def test_a_request_that_was_given_up_is_held_by_nothing(read: Read) -> None:
    """The server closes a connection whose request nobody holds."""
    bodies = Bodies()

    async def read_and_answer(sender: Sender) -> str:
        try:
            await read(bodies, sender)
        except BodyStalled as error:
            return str(error)
        raise AssertionError

    sender = Sender()
    held = weakref.ref(sender)
    gc.disable()
    try:
        answering = asyncio.create_task(read_and_answer(sender))
        del sender
        await let_all_run()
        await look(bodies, LOOKS_MAX + 1)
        assert await answering
        del answering
        await let_all_run()
        assert held() is None
    finally:
        gc.enable()
