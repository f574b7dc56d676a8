"""One suite over both quotas; Redis keeps its own time, so no test waits for a window to end."""

import asyncio
import time

import pytest
import redis

from cache.counting.quota import (
    LENT_SHARE,
    MINUTE,
    SLICE_MIN,
    Limit,
    MemoryQuota,
    QuotaSlice,
    RedisQuota,
    Window,
)
from cache.errors import CacheUnavailable
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

HOUR = Window(name="hour", length_s=3600, offset_s=1800)


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


def limit(items, name="a", window=MINUTE):
    return Limit(name=name, items=items, window=window)


async def take(quota, items, *limits, **more):
    taken = await quota.take(items, limits, **more)
    return taken.granted, *(left.items for left in taken.lefts)


async def test_items_are_taken_until_the_limit_and_not_beyond(quota):
    taken = [await quota.take(4, [limit(10)]) for _ in range(3)]
    assert [one.granted for one in taken] == [True, True, False]
    assert [one.lefts[0].items for one in taken] == [6, 2, 2]
    assert all(0 < one.lefts[0].resets_in_ms <= 60_000 for one in taken)


async def test_what_was_refused_costs_nothing(quota):
    assert await take(quota, 11, limit(10)) == (False, 10)
    assert await take(quota, 10, limit(10)) == (True, 0)


async def test_taking_nothing_tells_what_is_left_even_when_all_is_used(quota):
    await take(quota, 10, limit(10))
    assert await take(quota, 0, limit(10)) == (True, 0)


async def test_a_limit_that_was_lowered_leaves_nothing_and_never_less(quota):
    await take(quota, 10, limit(10))
    assert await take(quota, 1, limit(5)) == (False, 0)


async def test_names_and_windows_are_counted_apart(quota):
    await take(quota, 10, limit(10))
    assert await take(quota, 10, limit(10, "b")) == (True, 0)
    assert await take(quota, 10, limit(10, window=HOUR)) == (True, 0)


async def test_of_several_limits_all_are_taken_from_or_none(quota):
    minute, hour = limit(10), limit(15, window=HOUR)
    assert await take(quota, 8, minute, hour) == (True, 2, 7)
    assert await take(quota, 3, minute, hour) == (False, 2, 7)
    assert await take(quota, 2, minute, hour) == (True, 0, 5)
    assert await take(quota, 3, limit(10, "b"), hour) == (True, 7, 2)
    assert await take(quota, 3, limit(10, "b"), hour) == (False, 7, 2)
    assert await take(quota, 0, limit(10, "b"), hour) == (True, 7, 2)


async def test_at_once_no_more_than_the_limit_is_granted(quota):
    taken = await asyncio.gather(*(take(quota, 1, limit(20)) for _ in range(50)))
    assert sum(granted for granted, _ in taken) == 20


async def test_a_slice_counts_as_taken_and_what_is_left_of_it_comes_back(quota):
    big = limit(10_000)
    taken = await quota.take(1, [big], slice_max=60)
    assert (taken.lent, taken.lefts[0].items) == (60, 10_000 - 61)
    back = QuotaSlice(size=60, rest=20, limits=(big,), starts=(taken.lefts[0].start,))
    assert await take(quota, 2, big, returned=back) == (True, 10_000 - 61 + 20 - 2)


async def test_no_more_is_lent_at_once_than_a_share_of_the_scarcest_limit(quota):
    limits = [limit(10_000), limit(60_000, window=HOUR)]
    lent = [(await quota.take(1, limits, slice_max=1000)).lent for _ in range(9)]
    assert lent[:4] == [100, 50, 25, 12]
    assert sum(lent) <= 10_000 // LENT_SHARE
    assert set(lent[5:]) == {0}


async def test_slices_shrink_as_the_quota_ends(quota):
    taken = await quota.take(9_900, [limit(10_000)], slice_max=1000)
    assert taken.lent == 25
    taken = await quota.take(70, [limit(10_000)], slice_max=1000)
    assert (taken.granted, taken.lent) == (True, 0)


@pytest.mark.parametrize("items", [1, 100, LENT_SHARE * 2 * SLICE_MIN - 1])
async def test_of_a_small_quota_nothing_is_lent(quota, items):
    assert (await quota.take(1, [limit(items)], slice_max=1000)).lent == 0


async def test_whoever_is_refused_or_asks_nothing_is_lent_nothing(quota):
    assert (await quota.take(0, [limit(10_000)], slice_max=1000)).lent == 0
    assert (await quota.take(10_001, [limit(10_000)], slice_max=1000)).lent == 0
    assert await take(quota, 0, limit(10_000)) == (True, 10_000)


async def test_what_comes_back_to_a_window_that_is_gone_changes_nothing(quota):
    big = limit(10_000)
    await take(quota, 5, big)
    back = QuotaSlice(size=60, rest=60, limits=(big,), starts=(0,))
    assert await take(quota, 1, big, returned=back) == (True, 10_000 - 6)


async def test_more_than_was_taken_does_not_come_back(quota):
    big = limit(10_000)
    start = (await quota.take(5, [big])).lefts[0].start
    back = QuotaSlice(size=60, rest=60, limits=(big,), starts=(start,))
    assert await take(quota, 1, big, returned=back) == (True, 10_000 - 1)


async def test_a_window_begins_before_the_multiple_of_its_length_by_its_offset(quota):
    [left] = (await quota.take(1, [limit(10, window=HOUR)])).lefts
    assert left.start % 3600 == 1800
    assert left.start <= time.time() < left.start + 3600


async def test_a_new_window_begins_at_the_full_minute():
    clock = FakeClock(seconds=120.0)
    quota = MemoryQuota(clock)
    assert (await quota.take(10, [limit(10)])).lefts[0].resets_in_ms == 60_000
    clock.seconds = 179.9
    assert not (await quota.take(1, [limit(10)])).granted
    clock.seconds = 180.0
    assert (await quota.take(10, [limit(10)])).granted


async def test_counts_do_not_stay_for_ever_on_redis(redis_url):
    quota = RedisQuota(redis_url, namespace="expiring")
    await quota.take(1, [limit(10)])
    with redis.Redis.from_url(redis_url) as client:
        [key] = client.scan_iter("expiring:quota:*")
        assert 0 < client.ttl(key) <= 2 * MINUTE.length_s
    await quota.aclose()


async def test_a_redis_that_is_away_is_told(tmp_path):
    quota = RedisQuota(f"unix://{tmp_path}/none")
    with pytest.raises(CacheUnavailable):
        await quota.take(1, [limit(10)])
