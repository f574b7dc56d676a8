"""Taking the live list down."""

import pytest

from cache.errors import CacheIncomplete
from tests.integration.cache.cache_grounds import built, people, put_in_force, token, vouched

pytestmark = pytest.mark.anyio

LISTED = people(range(50))


async def test_after_a_withdrawal_nobody_is_proven_absent(store, ground):
    await put_in_force(store, ground, LISTED, version=5)
    await store.withdraw()
    assert await store.current() is None
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1_000)])


async def test_after_a_withdrawal_an_older_list_may_be_put_in_force(store, ground):
    await put_in_force(store, ground, LISTED, version=5)
    await store.withdraw()
    older = await built(store, LISTED, version=3)
    await store.switch(older)
    assert await vouched(ground, older, 3)
    assert (await store.lookup([token(1)])).generation == older


async def test_withdrawing_where_nothing_is_live_changes_nothing(store):
    await store.withdraw()
    assert await store.current() is None
