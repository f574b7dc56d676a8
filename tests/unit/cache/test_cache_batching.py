"""Lookups share exchanges, and an error reaches those that it concerns."""

import asyncio

import pytest

from cache.batching import Batcher
from cache.errors import CacheIncomplete, CacheUnavailable
from cache.generation import Generation
from cache.store import Lookup
from tests.support.positions import position

pytestmark = pytest.mark.anyio

GENERATION = Generation.plan(position=position(1), token_key="", entries=0, segment_blocks=1)

POSITION = position(1)


class Exchange:
    """An exchange that ends when the test says so, and remembers whom it served."""

    def __init__(self):
        self.batches = []
        self.error = None
        self._began = asyncio.Semaphore(0)
        self._may_end = asyncio.Semaphore(0)

    async def __call__(self, asks):
        self.batches.append([ask.item for ask in asks])
        self._began.release()
        await self._may_end.acquire()
        if self.error is not None:
            raise self.error
        for ask in asks:
            ask.settle(Lookup(generation=GENERATION, position=POSITION, values=tuple(ask.item)))

    async def has_begun(self):
        await self._began.acquire()

    def end(self):
        self._may_end.release()


def batcher_of(exchange, tokens_max=4, waiting_max=5, at_once=1):
    return Batcher(
        exchange,
        weight=len,
        weight_max=tokens_max,
        waiting_max=waiting_max,
        outage=CacheUnavailable,
        ends_all=True,
        crowded="too many lookups wait",
        at_once=at_once,
    )


async def queue_behind_first(exchange, batcher, *asks):
    """Start one ask, and more when its exchange has begun; return their tasks."""
    tasks = [asyncio.create_task(batcher.add([b"first"]))]
    await exchange.has_begun()
    for tokens in asks:
        tasks.append(asyncio.create_task(batcher.add(tokens)))
        await asyncio.sleep(0)  # let it take its place
    return tasks


async def test_asks_that_come_during_an_exchange_share_the_next_one():
    exchange = Exchange()
    tasks = await queue_behind_first(exchange, batcher_of(exchange), [b"a"], [b"b", b"c"])
    exchange.end()
    exchange.end()
    answers = await asyncio.gather(*tasks)
    assert exchange.batches == [[[b"first"]], [[b"a"], [b"b", b"c"]]]
    assert [answer.values for answer in answers] == [(b"first",), (b"a",), (b"b", b"c")]


async def test_an_exchange_carries_no_more_tokens_than_it_may():
    exchange = Exchange()
    tasks = await queue_behind_first(
        exchange, batcher_of(exchange), [b"a", b"b", b"c"], [b"d", b"e"], [b"f"]
    )
    for _ in range(3):
        exchange.end()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in exchange.batches] == [1, 1, 2]


async def test_an_asker_who_is_cancelled_harms_nobody():
    exchange = Exchange()
    tasks = await queue_behind_first(exchange, batcher_of(exchange), [b"a"], [b"b"])
    tasks[0].cancel()
    tasks[1].cancel()
    exchange.end()
    exchange.end()
    assert (await tasks[2]).values == (b"b",)
    assert exchange.batches == [[[b"first"]], [[b"b"]]]


async def test_an_outage_reaches_everyone_who_waits_and_nobody_asks_again():
    exchange = Exchange()
    tasks = await queue_behind_first(exchange, batcher_of(exchange), [b"a"], [b"b"])
    exchange.error = CacheUnavailable("away")
    exchange.end()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(error) for error in errors] == ["away"] * 3
    assert len({id(error) for error in errors}) == 3
    assert exchange.batches == [[[b"first"]]]


@pytest.mark.parametrize("error", [CacheIncomplete("torn"), RuntimeError("a bug")])
async def test_any_other_error_reaches_only_those_of_its_exchange(error):
    exchange = Exchange()
    tasks = await queue_behind_first(exchange, batcher_of(exchange), [b"a"])
    exchange.error = error
    exchange.end()
    with pytest.raises(type(error), match=str(error)):
        await tasks[0]
    await exchange.has_begun()
    exchange.error = None
    exchange.end()
    assert (await tasks[1]).values == (b"a",)


async def test_one_more_than_may_wait_is_refused_at_once():
    exchange = Exchange()
    batcher = batcher_of(exchange, waiting_max=2)
    tasks = await queue_behind_first(exchange, batcher, [b"a"], [b"b"])
    with pytest.raises(CacheUnavailable, match="too many"):
        await batcher.add([b"c"])
    exchange.end()
    exchange.end()
    await asyncio.gather(*tasks)


async def test_closing_fails_whoever_waits_and_whoever_comes():
    exchange = Exchange()
    batcher = batcher_of(exchange)
    tasks = await queue_behind_first(exchange, batcher, [b"a"])
    await batcher.aclose()
    for waiting in (*tasks, batcher.add([b"b"])):
        with pytest.raises(CacheUnavailable, match="closed"):
            await waiting


async def test_as_many_batches_are_under_way_as_may_be_and_later_items_wait():
    exchange = Exchange()
    batcher = batcher_of(exchange, at_once=2)
    tasks = []
    for token in (b"first", b"second"):
        tasks.append(asyncio.create_task(batcher.add([token])))
        await exchange.has_begun()
    tasks += [asyncio.create_task(batcher.add([token])) for token in (b"third", b"fourth")]
    await asyncio.sleep(0)
    assert exchange.batches == [[[b"first"]], [[b"second"]]]
    exchange.end()
    await exchange.has_begun()
    assert exchange.batches[2:] == [[[b"third"], [b"fourth"]]]
    exchange.end()
    exchange.end()
    answers = await asyncio.gather(*tasks)
    assert [answer.values for answer in answers] == [
        (b"first",),
        (b"second",),
        (b"third",),
        (b"fourth",),
    ]
    # Nothing is under way any more, and a later item is served at once.
    again = asyncio.create_task(batcher.add([b"fifth"]))
    await exchange.has_begun()
    exchange.end()
    assert (await again).values == (b"fifth",)
    await batcher.aclose()


async def test_an_ask_that_goes_first_overtakes_all_but_its_like():
    exchange = Exchange()
    batcher = batcher_of(exchange, tokens_max=2)
    tasks = await queue_behind_first(exchange, batcher, [b"a"], [b"b"])
    for tokens in ([b"c"], [b"d"], [b"e"]):
        tasks.append(asyncio.create_task(batcher.add(tokens, goes_first=tokens != [b"e"])))
        await asyncio.sleep(0)
    for _ in range(4):
        exchange.end()
    await asyncio.gather(*tasks)
    assert exchange.batches == [[[b"first"]], [[b"c"], [b"d"]], [[b"a"], [b"b"]], [[b"e"]]]
