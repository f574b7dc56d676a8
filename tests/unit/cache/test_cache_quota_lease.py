"""When a slice is spent here, and when somebody is asked."""

import pytest

from cache.counting.quota import MINUTE, Limit, MemoryQuota, Window
from cache.counting.quota_lease import PAUSE_S, SLICE_MAX, LeasedQuota
from cache.errors import CacheUnavailable
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

DAY = Window(name="day", length_s=86_400)
LIMITS = (
    Limit(name="a", items=60_000, window=MINUTE),
    Limit(name="a", items=1_000_000, window=DAY),
)


class Ground:
    """A quota that counts how often it is asked, and a worker on it."""

    def __init__(self):
        self.clock = FakeClock(seconds=120.0)
        self.asked = 0
        self.is_away = False
        self.quota = MemoryQuota(self.clock)
        self.worker = LeasedQuota(self, clock=self.clock)

    async def take(self, items, limits, **slices):
        self.asked += 1
        if self.is_away:
            raise CacheUnavailable
        return await self.quota.take(items, limits, **slices)

    async def left(self):
        """What the quota has besides slices."""
        return [left.items for left in (await self.quota.take(0, LIMITS)).lefts]


@pytest.fixture
def ground():
    return Ground()


async def test_a_slice_is_spent_without_asking(ground):
    for _ in range(SLICE_MAX + 1):
        assert (await ground.worker.take(1, 1, LIMITS)).granted
    assert ground.asked == 1
    await ground.worker.take(1, 1, LIMITS)
    assert ground.asked == 2


async def test_looking_costs_nothing_and_brings_no_slice(ground):
    for _ in range(3):
        await ground.worker.take(1, 0, LIMITS)
    assert ground.asked == 3
    assert await ground.left() == [60_000, 1_000_000]


async def test_a_slice_ends_with_its_minute_and_the_day_gets_the_rest_back(ground):
    await ground.worker.take(1, 1, LIMITS)
    ground.clock.seconds = 179.9
    taken = await ground.worker.take(1, 1, LIMITS)
    assert ground.asked == 1
    assert taken.lefts[0].resets_in_ms - taken.waited_ms == pytest.approx(100, abs=1)
    ground.clock.seconds = 180.0
    taken = await ground.worker.take(1, 1, LIMITS)
    assert ground.asked == 2
    assert [left.items + taken.at_hand for left in taken.lefts] == [60_000 - 1, 1_000_000 - 3]
    assert await ground.left() == [60_000 - 1 - SLICE_MAX, 1_000_000 - 3 - SLICE_MAX]


async def test_a_changed_limit_holds_at_once_and_the_slice_goes_back(ground):
    await ground.worker.take(1, 10, LIMITS)
    lowered = (Limit(name="a", items=10, window=MINUTE),)
    refused = await ground.worker.take(1, 1, lowered)
    assert not refused.granted
    assert await ground.left() == [60_000 - 10, 1_000_000 - 10]


async def test_limits_that_were_read_anew_and_are_the_same_keep_their_slice(ground):
    await ground.worker.take(1, 1, LIMITS)
    again = tuple(Limit(name=each.name, items=each.items, window=each.window) for each in LIMITS)
    await ground.worker.take(1, 1, again)
    assert ground.asked == 1


async def test_each_holder_has_a_slice_of_its_own(ground):
    await ground.worker.take(1, 1, LIMITS)
    await ground.worker.take(2, 1, LIMITS)
    assert ground.asked == 2


async def test_while_redis_is_away_slices_are_spent_and_then_it_is_asked_now_and_then(ground):
    await ground.worker.take(1, 1, LIMITS)
    ground.is_away = True
    for _ in range(SLICE_MAX):
        await ground.worker.take(1, 1, LIMITS)
    for _ in range(5):
        with pytest.raises(CacheUnavailable):
            await ground.worker.take(1, 1, LIMITS)
    assert ground.asked == 2
    ground.is_away = False
    ground.clock.seconds += PAUSE_S
    assert (await ground.worker.take(1, 1, LIMITS)).granted
