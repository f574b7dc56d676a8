"""One suite over both tallies; Redis keeps its own time, so an hour may end in between."""

from itertools import count

import pytest
import redis

from cache.counting.tally import ELEMENT_BYTES, WINDOW_S, MemoryTally, Noted, RedisTally, Totals
from cache.errors import CacheUnavailable
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

REGULAR_FROM = 10
NAMES = count()


@pytest.fixture(params=["memory", "redis"])
async def tally(request, anyio_backend):
    if request.param == "memory":
        yield MemoryTally(lambda: 7_200.0)
        return
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    tally = RedisTally(url, timeout_s=30)
    yield tally
    await tally.aclose()


def element(number):
    return number.to_bytes(ELEMENT_BYTES)


def noted(name, items, hits=0, elements=(), group="g"):
    return Noted(
        name=name, group=group, items=items, hits=hits, elements=tuple(map(element, elements))
    )


async def add(tally, *some):
    return await tally.add(some, regular_from=REGULAR_FROM)


def totals(items, distinct, hits, regular):
    return Totals(items=items, distinct=distinct, hits=hits, regular=regular)


async def test_items_and_hits_add_up_for_a_name_and_its_group(tally):
    await add(tally, noted("a", 3, hits=1))
    [a, b] = await add(tally, noted("a", 2, hits=1), noted("b", 4))
    assert (a.own, a.group) == (totals(5, 0, 2, 0), totals(5, 0, 2, 0))
    assert (b.own, b.group) == (totals(4, 0, 0, 0), totals(9, 0, 2, 0))


async def test_an_element_counts_once_for_each_name(tally):
    await add(tally, noted("a", 2, elements=[1, 2]))
    [a, b] = await add(tally, noted("a", 2, elements=[2, 3]), noted("b", 1, elements=[1]))
    assert (a.own.distinct, b.own.distinct, b.group.distinct) == (3, 1, 4)


async def test_groups_are_counted_apart(tally):
    await add(tally, noted("a", 2, hits=1, elements=[1]))
    [other] = await add(tally, noted("b", 5, group="h"))
    assert other.group == totals(5, 0, 0, 0)


async def test_a_name_is_regular_once_from_so_many_items_on(tally):
    await add(tally, noted("a", REGULAR_FROM - 1))
    [before] = await add(tally, noted("b", REGULAR_FROM))
    [after] = await add(tally, noted("a", 1))
    [still] = await add(tally, noted("a", 1))
    assert (before.group.regular, after.group.regular, still.group.regular) == (1, 2, 2)
    assert still.own.regular == 1


async def test_many_elements_are_estimated_within_a_few_percent(tally):
    for start in range(0, 3_000, 500):
        [counted] = await add(tally, noted("a", 500, elements=range(start, start + 500)))
    assert counted.own.distinct == pytest.approx(3_000, rel=0.05)
    assert counted.group.distinct == counted.own.distinct


async def test_a_new_hour_begins_with_nothing():
    clock = FakeClock(seconds=3_599.0)
    tally = MemoryTally(clock)
    await add(tally, noted("a", 5, hits=1, elements=[1]))
    clock.seconds = 3_600.0
    [counted] = await add(tally, noted("a", 2))
    assert (counted.start, counted.own) == (3_600, totals(2, 0, 0, 0))


async def test_redis_forgets_all_of_it_with_the_hour_and_holds_no_element(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        tally = RedisTally(redis_url, namespace="ending", timeout_s=30)
        secret = b"\xffan element\x00here"
        await tally.add(
            [Noted(name="a", group="g", items=1, hits=1, elements=(secret,))], regular_from=1
        )
        await tally.aclose()
        keys = list(client.scan_iter("ending:*"))
        assert len(keys) == 4
        assert all(0 < client.ttl(key) <= WINDOW_S for key in keys)
        assert not [key for key in keys if secret in key + (client.dump(key) or b"")]


async def test_a_redis_that_is_away_is_told(tmp_path):
    tally = RedisTally(f"unix://{tmp_path}/none")
    with pytest.raises(CacheUnavailable):
        await add(tally, noted("a", 1))
