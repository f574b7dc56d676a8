"""What a lookup says of the listed, of the others, and when something is lost."""

import pytest
from cache_grounds import built, people, put_in_force, token

from cache.errors import CacheIncomplete, CacheMisconfigured
from cache.keys import Keys
from cache.layout import SENTINEL

pytestmark = pytest.mark.anyio

KEYS = Keys("checker")
LISTED = people(range(300))


async def test_everyone_listed_is_found_and_nobody_else(store):
    generation = await put_in_force(store, LISTED)
    lookup = await store.lookup([token(number) for number in range(600)])
    assert lookup.generation == generation
    assert lookup.values == (b"v",) * 300 + (None,) * 300


async def test_maybes_count_what_the_filter_could_not_rule_out(store):
    await put_in_force(store, LISTED)
    assert (await store.lookup([token(1), token(2)])).maybes == 2
    assert (await store.lookup([token(1_000)])).maybes == 0


async def test_a_false_positive_of_the_filter_is_absent(store):
    await put_in_force(store, LISTED)
    strangers = [token(number) for number in range(1_000, 9_000)]
    lookup = await store.lookup(strangers)
    assert set(lookup.values) == {None}
    assert 0 < lookup.maybes < 100


async def test_a_lookup_of_nobody_names_the_live_generation(store):
    generation = await put_in_force(store, LISTED)
    lookup = await store.lookup([])
    assert (lookup.generation, lookup.values, lookup.maybes) == (generation, (), 0)


async def test_the_same_token_twice_is_answered_twice(store):
    await put_in_force(store, LISTED)
    assert (await store.lookup([token(1), token(1)])).values == (b"v", b"v")


async def test_an_empty_value_is_not_absence(store):
    await put_in_force(store, {token(1): b""})
    assert (await store.lookup([token(1)])).values == (b"",)


async def test_a_batch_of_many_parts_keeps_its_order(store):
    listed = {token(number): b"%d" % number for number in range(0, 2_400, 3)}
    await put_in_force(store, listed)
    lookup = await store.lookup([token(number) for number in range(2_400)])
    assert lookup.values == tuple(listed.get(token(number)) for number in range(2_400))


@pytest.mark.parametrize("length", [0, 15, 17])
async def test_a_token_of_another_length_is_refused(store, length):
    await put_in_force(store, LISTED)
    with pytest.raises(ValueError, match="16 bytes"):
        await store.lookup([token(1), bytes(length)])


async def test_an_empty_list_proves_absence(store):
    await put_in_force(store, {})
    assert (await store.lookup([token(1)])).values == (None,)


async def test_a_build_alone_lists_nobody_yet(store):
    await built(store, LISTED)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1)])


@pytest.mark.parametrize("number", [1, 1_000])
async def test_a_lost_pointer_is_not_absence(store, ground, number):
    await put_in_force(store, LISTED)
    await store.lookup([token(number)])
    ground.lose(KEYS.pointer)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(number)])


@pytest.mark.parametrize("number", [1, 1_000])
async def test_a_lost_segment_is_not_absence(store, ground, number):
    generation = await put_in_force(store, LISTED)
    segment, _ = generation.block_of(token(number))
    ground.lose(KEYS.segment(generation.id, segment))
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(number)])


@pytest.mark.parametrize("missing", [1, 63, 64])
async def test_a_segment_cut_within_the_block_is_not_absence(store, ground, missing):
    generation = await put_in_force(store, LISTED)
    segment, start = generation.block_of(token(1_000))
    ground.cut(KEYS.segment(generation.id, segment), start + 64 - missing)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1_000)])


async def test_a_segment_cut_behind_the_block_still_proves_absence(store, ground):
    generation = await put_in_force(store, LISTED)
    segment, start = generation.block_of(token(1_000))
    ground.cut(KEYS.segment(generation.id, segment), start + 64)
    assert (await store.lookup([token(1_000)])).values == (None,)


async def test_a_lost_bucket_is_not_absence(store, ground):
    generation = await put_in_force(store, LISTED)
    ground.lose(KEYS.bucket(generation.id, generation.bucket_of(token(1))))
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1)])


async def test_a_bucket_without_its_sentinel_is_not_absence(store, ground):
    generation = await put_in_force(store, LISTED)
    bucket = KEYS.bucket(generation.id, generation.bucket_of(token(1)))
    ground.lose_field(bucket, token(1))
    assert (await store.lookup([token(1)])).values == (None,)
    ground.lose_field(bucket, SENTINEL)
    with pytest.raises(CacheIncomplete):
        await store.lookup([token(1)])


async def test_a_loss_harms_only_those_it_touches(store, ground):
    generation = await put_in_force(store, LISTED)
    lost = generation.bucket_of(token(1))
    ground.lose(KEYS.bucket(generation.id, lost))
    spared = next(number for number in range(300) if generation.bucket_of(token(number)) != lost)
    assert (await store.lookup([token(spared)])).values == (b"v",)


async def test_a_pointer_that_cannot_be_read_is_not_absence(store, ground):
    await put_in_force(store, LISTED)
    ground.put(KEYS.pointer, b'{"id": "rubbish"}')
    for call in (store.lookup([token(1_000)]), store.current(), store.sweep()):
        with pytest.raises(CacheIncomplete):
            await call


async def test_a_reader_with_another_token_key_is_told_nothing(store, ground):
    generation = await put_in_force(store, LISTED)
    stranger = ground.store(token_key="0000000000000000")
    with pytest.raises(CacheIncomplete, match="token key"):
        await stranger.lookup([token(1_000)])
    assert await stranger.current() == generation
    await stranger.aclose()


async def test_two_namespaces_do_not_see_each_other(store, ground):
    other = ground.store(namespace="other")
    generation = await put_in_force(store, LISTED)
    assert await other.current() is None
    assert await other.sweep() == 0
    theirs = await put_in_force(other, people([1_000]), version=9)
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
