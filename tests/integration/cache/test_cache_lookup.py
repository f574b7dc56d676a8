"""A lookup of listed and other persons, and of a generation that lost something."""

import pytest

from cache.errors import CacheIncomplete, CacheMisconfigured, CacheUnvouched
from cache.layout import SENTINEL
from tests.integration.cache.cache_grounds import (
    KEYS,
    built,
    head,
    people,
    put_in_force,
    stored,
    token,
    vouched,
)
from tests.support.cache_keys import first_key

pytestmark = pytest.mark.anyio

LISTED = people(range(300))


async def test_everyone_listed_is_found_and_nobody_else(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    lookup = await store.lookup([token(number) for number in range(600)])
    assert (lookup.generation, lookup.position) == (generation, head(1).position)
    assert lookup.values == (b"v",) * 300 + (None,) * 300


async def test_a_lookup_of_nobody_names_the_live_generation(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    lookup = await store.lookup([])
    assert (lookup.generation, lookup.values) == (generation, ())


async def test_the_same_token_twice_is_answered_twice(store, ground):
    await put_in_force(store, ground, LISTED)
    assert (await store.lookup([token(1), token(1)])).values == (b"v", b"v")


async def test_an_empty_value_is_not_absence(store, ground):
    await put_in_force(store, ground, {token(1): b""})
    assert (await store.lookup([token(1)])).values == (b"",)


async def test_a_batch_of_many_parts_keeps_its_order(store, ground):
    listed = {token(number): b"%d" % number for number in range(0, 2_400, 3)}
    await put_in_force(store, ground, listed)
    lookup = await store.lookup([token(number) for number in range(2_400)])
    assert lookup.values == tuple(listed.get(token(number)) for number in range(2_400))


@pytest.mark.parametrize("length", [0, 15, 17])
async def test_a_token_of_another_length_is_refused(store, ground, length):
    await put_in_force(store, ground, LISTED)
    with pytest.raises(ValueError, match="16 bytes"):
        await store.lookup([token(1), bytes(length)])


async def test_an_empty_list_proves_absence(store, ground):
    await put_in_force(store, ground, {})
    assert (await store.lookup([token(1)])).values == (None,)


async def test_a_build_alone_lists_nobody_yet(store):
    await built(store, LISTED)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1)])


@pytest.mark.parametrize("number", [1, 1_000])
async def test_a_lost_pointer_is_not_absence(store, ground, number):
    await put_in_force(store, ground, LISTED)
    await store.lookup([token(number)])
    ground.lose(KEYS.pointer)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(number)])


@pytest.mark.parametrize("damage", [None, b"", b"rubbish", b'{"version":1}'])
async def test_a_head_that_is_lost_or_cannot_be_read_is_not_absence(store, ground, damage):
    generation = await put_in_force(store, ground, LISTED)
    ground.lose(KEYS.head(generation.id))
    if damage is not None:
        ground.put(KEYS.head(generation.id), damage)
    with pytest.raises(CacheIncomplete, match="head"):
        await store.lookup([token(1_000)])


async def test_a_lost_segment_harms_no_lookup(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    segment, _ = generation.block_of(stored(token(1)))
    ground.lose(KEYS.segment(generation.id, segment))
    assert (await store.lookup([token(1), token(1_000)])).values == (b"v", None)


async def test_a_list_nobody_vouches_for_proves_nothing(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    ground.lose(KEYS.vouched)
    with pytest.raises(CacheUnvouched):
        await store.lookup([token(1_000)])
    assert await vouched(ground, generation, 1)
    assert (await store.lookup([token(1_000)])).values == (None,)


async def test_a_vouch_for_the_generation_before_is_none_for_this_one(store, ground):
    await put_in_force(store, ground, LISTED)
    await store.switch(await built(store, LISTED, version=2))
    with pytest.raises(CacheUnvouched):
        await store.lookup([token(1_000)])


async def test_a_vouch_given_in_another_run_is_not_believed(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    ground.put(KEYS.vouched, f"{generation.id}:{'0' * 40}".encode())
    with pytest.raises(CacheUnvouched):
        await store.lookup([token(1_000)])


async def test_a_lost_bucket_is_not_absence(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    ground.lose(KEYS.bucket(generation.id, generation.bucket_of(stored(token(1)))))
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1)])


async def test_a_bucket_without_its_sentinel_is_not_absence(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    bucket = KEYS.bucket(generation.id, generation.bucket_of(stored(token(1))))
    ground.lose_field(bucket, stored(token(1)))
    assert (await store.lookup([token(1)])).values == (None,)
    ground.lose_field(bucket, SENTINEL)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1)])


async def test_a_loss_harms_only_those_it_touches(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    lost = generation.bucket_of(stored(token(1)))
    ground.lose(KEYS.bucket(generation.id, lost))
    spared = next(
        number for number in range(300) if generation.bucket_of(stored(token(number))) != lost
    )
    assert (await store.lookup([token(spared)])).values == (b"v",)


async def test_a_pointer_that_cannot_be_read_is_not_absence(store, ground):
    await put_in_force(store, ground, LISTED)
    ground.put(KEYS.pointer, b'{"id": "rubbish"}')
    for call in (store.lookup([token(1_000)]), store.current(), store.sweep()):
        with pytest.raises(CacheIncomplete):
            await call


async def test_a_reader_with_another_token_key_is_told_nothing(store, ground):
    generation = await put_in_force(store, ground, LISTED)
    stranger = ground.store(token_keys=first_key(bytes(32)))
    with pytest.raises(CacheIncomplete, match="not held"):
        await stranger.lookup([token(1_000)])
    assert await stranger.current() == generation
    await stranger.aclose()


async def test_two_namespaces_do_not_see_each_other(store, ground):
    other = ground.store(namespace="other")
    generation = await put_in_force(store, ground, LISTED)
    assert await other.current() is None
    assert await other.sweep() == 0
    theirs = await put_in_force(other, ground, people([1_000]), 9, namespace="other")
    assert await store.sweep() == 0
    assert (await store.lookup([token(1), token(1_000)])).values == (b"v", None)
    assert (await other.lookup([token(1), token(1_000)])).values == (None, b"v")
    assert (await store.current(), await other.current()) == (generation, theirs)
    await other.aclose()


async def test_a_store_that_evicts_is_refused_and_another_is_not(store, ground):
    await store.verify_policy()
    ground.set_policy("allkeys-lru")
    with pytest.raises(CacheMisconfigured):
        await store.verify_policy()
    ground.set_policy("volatile-ttl")
    await store.verify_policy()


async def test_a_store_within_reach_answers_a_ping(store):
    await store.ping()
