"""The quotas of a key and its account in a minute and in a day."""

import pytest

from cache.counting.quota import MemoryQuota, RedisQuota
from cache.errors import CacheUnavailable
from checker.accounts.keys import AccountRole, Caller
from checker.accounts.quotas import NO_LIMIT, Quotas
from checker.accounts.scope import Scope, limits_of
from checker.errors import QuotaExceeded

pytestmark = pytest.mark.anyio


# Half a minute into a minute, and an hour before the end of a day in Shanghai.
NOW = 15 * 3600 + 30.0


def caller(items_per_minute=0, items_per_day=0, key_pk=1, account=None):
    own = Scope(items_per_minute=items_per_minute, items_per_day=items_per_day)
    return Caller(
        key_pk=key_pk,
        account_id="a",
        name="hotel",
        role=AccountRole.INSTITUTION,
        services=None,
        jurisdiction=None,
        limits=limits_of(key_pk, own, "a", account or Scope()),
    )


def shown(allowance):
    return [(each.window, each.limit, allowance.left(each)) for each in allowance.shares]


@pytest.fixture
def quotas():
    return Quotas(MemoryQuota(lambda: NOW))


async def test_a_key_without_a_limit_is_never_refused(quotas):
    assert await quotas.take(caller(0), 10_000) is NO_LIMIT


async def test_a_batch_larger_than_what_is_left_is_refused_whole(quotas):
    await quotas.take(caller(10), 4)
    with pytest.raises(QuotaExceeded) as refused:
        await quotas.take(caller(10), 7)
    assert refused.value.retry_after_s == 30
    assert shown(await quotas.take(caller(10), 6)) == [("minute", 10, 0)]


async def test_asking_nothing_is_never_refused_even_where_the_limit_was_lowered(quotas):
    await quotas.take(caller(10), 10)
    assert shown(await quotas.take(caller(5), 0)) == [("minute", 5, 0)]
    with pytest.raises(QuotaExceeded):
        await quotas.take(caller(5), 1)


async def test_two_keys_have_quotas_of_their_own(quotas):
    await quotas.take(caller(5, key_pk=1), 5)
    assert shown(await quotas.take(caller(5, key_pk=2), 5)) == [("minute", 5, 0)]


async def test_two_keys_of_an_account_use_up_its_quota_together(quotas):
    account = Scope(items_per_minute=10)
    await quotas.take(caller(account=account, key_pk=1), 6)
    with pytest.raises(QuotaExceeded):
        await quotas.take(caller(account=account, key_pk=2), 5)
    assert shown(await quotas.take(caller(account=account, key_pk=2), 4)) == [("minute", 10, 0)]


async def test_of_a_key_and_its_account_the_scarcer_quota_is_told(quotas):
    account = Scope(items_per_minute=10)
    assert shown(await quotas.take(caller(5, account=account), 1)) == [("minute", 5, 4)]
    await quotas.take(caller(account=account, key_pk=2), 8)
    assert shown(await quotas.take(caller(5, account=account), 0)) == [("minute", 10, 1)]


async def test_a_minute_and_a_day_are_taken_from_together_or_not_at_all(quotas):
    both = caller(10, 15)
    assert shown(await quotas.take(both, 9)) == [("minute", 10, 1), ("day", 15, 6)]
    with pytest.raises(QuotaExceeded):
        await quotas.take(both, 2)
    assert shown(await quotas.take(both, 0)) == [("minute", 10, 1), ("day", 15, 6)]


async def test_who_is_refused_waits_for_the_window_that_blocks(quotas):
    await quotas.take(caller(10, 15), 9)
    for items, wait_s in ((2, 30), (7, 3600 - 30)):
        with pytest.raises(QuotaExceeded) as refused:
            await quotas.take(caller(10, 15), items)
        assert refused.value.retry_after_s == wait_s


async def test_while_redis_is_away_nobody_is_refused_for_a_quota(tmp_path):
    away = RedisQuota(f"unix://{tmp_path}/none")
    with pytest.raises(CacheUnavailable):
        await away.take(1, caller(1).limits)
    assert shown(await Quotas(away).take(caller(1, 2), 100)) == [("minute", 1, 1), ("day", 2, 2)]
