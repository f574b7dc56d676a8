"""A vouch is given for the newest list only, in time or not at all."""

import pytest

from cache.changes import StreamEntry
from cache.errors import CacheUnavailable, CacheUnvouched
from cache.layout import SENTINEL
from cache.lease import SETTLED_S, VOUCH_MS
from tests.integration.cache.cache_grounds import (
    KEYS,
    RedisGround,
    built,
    changed,
    opened,
    people,
    position,
    put_in_force,
    state_of,
    step,
    token,
    vouched,
)
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

LISTED = people(range(100))
NOW = position(1)
HEARTBEAT = StreamEntry.heartbeat(NOW)


async def test_a_vouch_is_told_to_the_nodes_as_a_heartbeat(store, ground):
    await put_in_force(store, ground, LISTED)
    assert ground.entries() == [HEARTBEAT]


@pytest.mark.parametrize("version", [0, 2])
async def test_a_vouch_for_another_version_than_the_live_one_is_not_given(store, ground, version):
    live = await built(store, LISTED)
    await store.switch(live)
    assert not await vouched(ground, live, version)
    assert ground.entries() == []
    with pytest.raises(CacheUnvouched):
        await store.lookup([token(1)])


async def test_a_vouch_for_a_generation_that_is_not_live_is_not_given(store, ground):
    pending = await built(store, LISTED)
    assert not await vouched(ground, pending, 1)
    await store.switch(pending)
    await put_in_force(store, ground, LISTED)
    assert not await vouched(ground, pending, 1)


async def test_a_vouch_whose_asking_is_too_long_ago_is_not_given(store, ground):
    live = await built(store, LISTED)
    await store.switch(live)
    assert not await vouched(ground, live, 1, asked_ms_ago=251)
    assert ground.entries() == []
    assert KEYS.vouched not in ground.names()


async def test_a_withdrawal_takes_the_vouch_along(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await store.withdraw()
    assert KEYS.vouched not in ground.names()
    assert not await vouched(ground, live, 1)


@pytest.mark.parametrize("damage", [None, b"rubbish", b'{"version":"1"}'])
async def test_a_state_without_a_readable_head_has_no_generation(store, ground, damage):
    live = await put_in_force(store, ground, LISTED)
    ground.lose(KEYS.head(live.id))
    if damage is not None:
        ground.put(KEYS.head(live.id), damage)
    state = await state_of(ground)
    assert (state.generation, state.head) == (None, None)


async def test_a_state_without_a_readable_pointer_has_no_generation(store, ground):
    assert (await state_of(ground)).generation is None
    live = await put_in_force(store, ground, LISTED)
    assert (await state_of(ground)).generation == live
    ground.put(KEYS.pointer, b"rubbish")
    assert (await state_of(ground)).generation is None


async def test_a_state_follows_a_switch(store, ground):
    list_writer = ground.list_writer()
    for version in (1, 2):
        live = await put_in_force(store, ground, LISTED, version)
        assert (await list_writer.state()).generation == live
    await list_writer.aclose()


async def test_the_nodes_are_not_whole_right_after_their_list_was_lost(store, ground):
    live = await put_in_force(store, ground, LISTED)
    assert not (await state_of(ground)).nodes_whole
    ground.put_field(KEYS.nodes, SENTINEL, b"0" * 40 + b":1")
    assert await vouched(ground, live, 1)
    assert ground.field(KEYS.nodes, SENTINEL) != b"0" * 40 + b":1"
    assert not (await state_of(ground)).nodes_whole


async def test_a_vouch_ends_by_itself(redis_ground):
    store, list_writer = redis_ground.store(), redis_ground.list_writer()
    live = await built(store, LISTED)
    await store.switch(live)
    assert await list_writer.vouch(live, NOW, asked_ms_ago=0)
    assert -1 != redis_ground.client.pttl(KEYS.vouched) <= VOUCH_MS
    await store.aclose()
    await list_writer.aclose()


async def test_the_nodes_are_whole_when_their_list_is_old_enough(redis_ground):
    store = redis_ground.store()
    live = await put_in_force(store, redis_ground, LISTED)
    run, _, since_ms = redis_ground.field(KEYS.nodes, SENTINEL).partition(b":")
    older = b"%s:%d" % (run, int(since_ms) - SETTLED_S * 1000)
    redis_ground.put_field(KEYS.nodes, SENTINEL, older)
    assert (await state_of(redis_ground)).nodes_whole
    assert await vouched(redis_ground, live, 1)
    assert redis_ground.field(KEYS.nodes, SENTINEL) == older
    await store.aclose()


async def test_a_vouch_that_a_frozen_redis_comes_to_late_is_not_given(own_redis):
    ground, clock = RedisGround(own_redis.url), FakeClock()
    store = ground.store()
    live = await built(store, LISTED)
    await store.switch(live)
    list_writer = ground.list_writer(timeout_s=0.4, clock=clock)
    assert await list_writer.vouch(live, NOW, asked_ms_ago=0)
    own_redis.freeze()
    try:
        # Sent in time by the clock of the publisher; Redis gets to it when it thaws.
        with pytest.raises(CacheUnavailable):
            await list_writer.vouch(live, NOW, asked_ms_ago=0)
    finally:
        own_redis.thaw()
    assert ground.client.ping()
    assert ground.entries() == [HEARTBEAT]
    ground.client.close()
    await store.aclose()
    await list_writer.aclose()


async def test_a_vouch_is_late_by_the_clock_that_the_state_was_read_by(redis_ground):
    clock = FakeClock()
    async with opened(redis_ground.store()) as store:
        live = await put_in_force(store, redis_ground, LISTED)
    async with opened(redis_ground.list_writer(timeout_s=20, clock=clock)) as list_writer:
        await list_writer.vouch(live, NOW, asked_ms_ago=0)
        clock.seconds += 10  # as when Redis is replaced by one whose clock is behind
        await list_writer.state()
        assert not await list_writer.vouch(live, NOW, asked_ms_ago=251)


async def test_a_vouch_outlives_the_changes_that_come_after_it(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await changed(ground, live, step(1, {token(1_000): b"new", token(1): None}))
    lookup = await store.lookup([token(1_000), token(1)])
    assert (lookup.position.version, lookup.values) == (2, (b"new", None))


async def test_a_publisher_that_lost_its_lead_unaware_says_nothing(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await changed(ground, live, step(1, {token(1_000): b"new"}))
    told = ground.entries()
    assert not await vouched(ground, live, 1)
    assert ground.entries() == told
