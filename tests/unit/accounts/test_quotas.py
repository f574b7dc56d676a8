"""What a key may ask about in a minute."""

import pytest

from cache.errors import CacheUnavailable
from cache.quota import MemoryQuota, RedisQuota
from checker.accounts.keys import AccountRole, Caller
from checker.accounts.quotas import NO_LIMIT, Quotas
from checker.errors import QuotaExceeded

pytestmark = pytest.mark.anyio


def caller(items_per_minute, key_pk=1):
    return Caller(
        key_pk=key_pk,
        account_id="a",
        name="hotel",
        role=AccountRole.INSTITUTION,
        services=None,
        jurisdiction=None,
        items_per_minute=items_per_minute,
    )


@pytest.fixture
def quotas():
    return Quotas(MemoryQuota(lambda: 30.0))


async def test_a_key_without_a_limit_is_never_refused(quotas):
    assert await quotas.take(caller(0), 10_000) == NO_LIMIT


async def test_a_batch_larger_than_what_is_left_is_refused_whole(quotas):
    await quotas.take(caller(10), 4)
    with pytest.raises(QuotaExceeded) as refused:
        await quotas.take(caller(10), 7)
    assert refused.value.retry_after_s == 30
    assert (await quotas.take(caller(10), 6)).left == 0


async def test_asking_nothing_is_never_refused_even_where_the_limit_was_lowered(quotas):
    await quotas.take(caller(10), 10)
    assert (await quotas.take(caller(5), 0)).left == 0
    with pytest.raises(QuotaExceeded):
        await quotas.take(caller(5), 1)


async def test_two_keys_have_quotas_of_their_own(quotas):
    await quotas.take(caller(5, key_pk=1), 5)
    assert (await quotas.take(caller(5, key_pk=2), 5)).left == 0


async def test_while_redis_is_away_nobody_is_refused_for_a_quota(tmp_path):
    away = RedisQuota(f"unix://{tmp_path}/none")
    with pytest.raises(CacheUnavailable):
        await away.take("1", 1, 1)
    allowance = await Quotas(away).take(caller(1), 100)
    assert (allowance.limit, allowance.left) == (1, 1)
