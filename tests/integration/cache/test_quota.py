"""One suite over both quotas; Redis keeps its own time, so no test waits for a window to end."""

import asyncio
import time

import pytest
import redis

from cache.errors import CacheUnavailable
from cache.quota import WINDOW_S, MemoryQuota, RedisQuota

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "redis"])
async def quota(request, anyio_backend):
    if request.param == "memory":
        yield MemoryQuota(time.time)
        return
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    quota = RedisQuota(url)
    yield quota
    await quota.aclose()


async def test_items_are_taken_until_the_limit_and_not_beyond(quota):
    taken = [await quota.take("a", 4, 10) for _ in range(3)]
    assert [one.granted for one in taken] == [True, True, False]
    assert [one.left for one in taken] == [6, 2, 2]
    assert all(0 < one.resets_in_s <= WINDOW_S for one in taken)


async def test_what_was_refused_costs_nothing(quota):
    assert not (await quota.take("a", 11, 10)).granted
    assert (await quota.take("a", 10, 10)).granted


async def test_taking_nothing_tells_what_is_left_even_when_all_is_used(quota):
    await quota.take("a", 10, 10)
    looked = await quota.take("a", 0, 10)
    assert (looked.granted, looked.left) == (True, 0)


async def test_a_limit_that_was_lowered_leaves_nothing_and_never_less(quota):
    await quota.take("a", 10, 10)
    assert (await quota.take("a", 1, 5)).left == 0


async def test_names_are_counted_apart(quota):
    await quota.take("a", 10, 10)
    assert (await quota.take("b", 10, 10)).granted


async def test_at_once_no_more_than_the_limit_is_granted(quota):
    taken = await asyncio.gather(*(quota.take("a", 1, 20) for _ in range(50)))
    assert sum(one.granted for one in taken) == 20


async def test_a_new_window_begins_at_the_full_minute():
    now = [120.0]
    quota = MemoryQuota(lambda: now[0])
    assert (await quota.take("a", 10, 10)).resets_in_s == 60
    now[0] = 179.9
    assert not (await quota.take("a", 1, 10)).granted
    now[0] = 180.0
    assert (await quota.take("a", 10, 10)).granted


async def test_counts_do_not_stay_for_ever_on_redis(redis_url):
    quota = RedisQuota(redis_url, namespace="expiring")
    await quota.take("a", 1, 10)
    with redis.Redis.from_url(redis_url) as client:
        [key] = client.scan_iter("expiring:quota:*")
        assert 0 < client.ttl(key) <= 2 * WINDOW_S
    await quota.aclose()


async def test_a_redis_that_is_away_is_told(tmp_path):
    quota = RedisQuota(f"unix://{tmp_path}/none")
    with pytest.raises(CacheUnavailable):
        await quota.take("a", 1, 10)
