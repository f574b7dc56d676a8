"""Several workers with slices of one quota: it is never passed, and holds within 2 %."""

import asyncio
from itertools import count
from random import Random

import pytest
import redis

from cache.counting.quota import LENT_SHARE, Limit, MemoryQuota, RedisQuota, Window
from cache.counting.quota_lease import SLICE_MAX, LeasedQuota
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

# So long that none ends while a test runs.
AGE = Window(name="age", length_s=10**9)
NAMES = count()


class Workers:
    """Workers with connections of their own; their clock stands."""

    def __init__(self, quotas):
        clock = FakeClock()
        self.workers = [LeasedQuota(quota, clock=clock) for quota in quotas]


@pytest.fixture(params=["memory", "redis"])
async def workers(request, anyio_backend):
    if request.param == "memory":
        quota = MemoryQuota(lambda: 5.0)
        yield Workers([quota] * 6).workers
        return
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    quotas = [RedisQuota(url, timeout_s=30) for _ in range(6)]
    yield Workers(quotas).workers
    for quota in quotas:
        await quota.aclose()


def limits_of(items):
    return (Limit(name=f"n{next(NAMES)}", items=items, window=AGE),)


async def used_up(worker, limits, rng, batch_max):
    """Ask until one item is refused; what was granted."""
    granted = 0
    while True:
        items = rng.randint(1, batch_max)
        if (await worker.take(1, items, limits)).granted:
            granted += items
        elif items == 1:
            return granted


@pytest.mark.parametrize("limit", [5, 700, 900, 6_000])
@pytest.mark.parametrize("batch_max", [1, 30])
async def test_workers_that_ask_at_once_are_granted_the_quota_within_two_percent(
    workers, limit, batch_max
):
    limits = limits_of(limit)
    rng = Random(limit)
    granted = sum(
        await asyncio.gather(*(used_up(each, limits, rng, batch_max) for each in workers))
    )
    assert limit * (1 - 1 / LENT_SHARE) <= granted <= limit


async def test_a_small_quota_is_exact_over_all_workers(workers):
    limits = limits_of(100)
    granted = await asyncio.gather(*(used_up(each, limits, Random(1), 1) for each in workers))
    assert sum(granted) == 100


async def test_workers_that_die_with_their_slices_take_no_more_than_two_percent_along(workers):
    limits = limits_of(6_000)
    for worker in workers[1:]:
        assert (await worker.take(1, 1, limits)).granted
    granted = await used_up(workers[0], limits, Random(1), 1)
    assert 6_000 * (1 - 1 / LENT_SHARE) <= granted + len(workers) - 1 <= 6_000


async def test_one_worker_alone_is_granted_the_last_item(workers):
    limits = limits_of(6_000)
    assert await used_up(workers[0], limits, Random(1), 40) == 6_000


async def test_a_batch_larger_than_what_is_left_costs_nothing(workers):
    limits = limits_of(2_000)
    assert (await workers[0].take(1, 1_500, limits)).granted
    refused = await workers[0].take(1, 501, limits)
    assert (refused.granted, refused.lefts[0].items) == (False, 500)
    assert (await workers[0].take(1, 500, limits)).granted


async def test_what_is_told_as_left_counts_ones_own_slice_in(workers):
    limits = limits_of(100_000)
    spent = [await workers[0].take(1, 1, limits) for _ in range(SLICE_MAX * 3)]
    left = [each.lefts[0].items + each.at_hand for each in spent]
    assert left == list(range(99_999, 99_999 - SLICE_MAX * 3, -1))
