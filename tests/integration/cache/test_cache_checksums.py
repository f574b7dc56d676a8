"""A walk and a loading node notice every change by a hand or a fault in a generation."""

import pytest

from cache.changes import encode_head
from cache.checksum import segment_field, shelf_field, shelf_of
from cache.errors import CacheError, CacheIncomplete
from cache.layout import SENTINEL
from cache.list_writer import SLICE_TOKENS
from tests.integration.cache.cache_damage import (
    LISTED_PERSON,
    OF_BUCKETS,
    OF_SEGMENTS_AND_RECORDS,
    bucket_of,
    clear_a_bit,
    copy_of,
    lose_a_bucket,
    restore,
    segment_of,
    set_a_bit,
    zero_a_segment,
)
from tests.integration.cache.cache_grounds import (
    KEYS,
    built,
    changed,
    opened,
    people,
    position,
    put_in_force,
    state_of,
    step,
    stored,
    token,
    walked,
)

pytestmark = pytest.mark.anyio

LISTED = people(range(100))
NEW_PERSON = token(1_000)


async def loaded(ground):
    async with opened(ground.replica_source()) as replica_source:
        return await replica_source.load()


@pytest.mark.parametrize("damage", [*OF_BUCKETS, *OF_SEGMENTS_AND_RECORDS])
async def test_a_walk_notices_a_part_that_was_changed_by_hand(store, ground, damage):
    live = await put_in_force(store, ground, LISTED)
    await walked(ground, live)
    damage(ground, live)
    with pytest.raises(CacheIncomplete):
        await walked(ground, live)


@pytest.mark.parametrize("damage", OF_SEGMENTS_AND_RECORDS)
async def test_a_node_takes_no_bits_that_were_changed_by_hand(store, ground, damage):
    live = await put_in_force(store, ground, LISTED)
    await loaded(ground)
    damage(ground, live)
    with pytest.raises(CacheIncomplete):
        await loaded(ground)


@pytest.mark.parametrize("damage", OF_BUCKETS)
async def test_a_change_is_not_written_over_a_bucket_that_was_changed_by_hand(
    store, ground, damage
):
    live = await put_in_force(store, ground, LISTED)
    damage(ground, live)
    with pytest.raises(CacheIncomplete):
        await changed(ground, live, step(1, {LISTED_PERSON: b"other"}))
    assert (await state_of(ground)).head.version == 1


@pytest.mark.parametrize("damage", [zero_a_segment, clear_a_bit, set_a_bit])
async def test_a_change_does_not_hide_what_was_done_to_its_segment(store, ground, damage):
    live = await put_in_force(store, ground, LISTED)
    damage(ground, live)
    await changed(ground, live, step(1, dict.fromkeys([LISTED_PERSON, NEW_PERSON], b"v")))
    with pytest.raises(CacheIncomplete, match="segment"):
        await walked(ground, live)


def its_bucket(live):
    return [bucket_of(live, NEW_PERSON)], []


def its_bucket_and_record(live):
    shelf = shelf_of(live.bucket_of(stored(NEW_PERSON)))
    return [bucket_of(live, NEW_PERSON)], [shelf_field(shelf)]


def its_segment(live):
    return [segment_of(live, NEW_PERSON)], []


def its_segment_and_record(live):
    segment, _ = live.block_of(stored(NEW_PERSON))
    return [segment_of(live, NEW_PERSON)], [segment_field(segment)]


def all_records(live):
    return [KEYS.sums(live.id)], []


@pytest.mark.parametrize(
    "older", [its_bucket, its_bucket_and_record, its_segment, its_segment_and_record, all_records]
)
async def test_a_walk_notices_an_older_copy_of_a_part(store, ground, older):
    live = await put_in_force(store, ground, LISTED)
    sums, (keys, fields) = KEYS.sums(live.id), older(live)
    held = {key: copy_of(ground, key) for key in keys}
    records = {field: ground.field(sums, field) for field in fields}
    await changed(ground, live, step(1, {NEW_PERSON: b"v"}))
    await walked(ground, live)
    for key, copy in held.items():
        restore(ground, key, copy)
    for field, record in records.items():
        ground.put_field(sums, field, record)
    with pytest.raises(CacheIncomplete):
        await walked(ground, live)


async def test_a_walk_notices_a_head_that_was_moved_on_by_hand(store, ground):
    live = await put_in_force(store, ground, LISTED)
    head = (await state_of(ground)).head
    moved = type(head).at(position(head.version + 1))
    ground.put(KEYS.head(live.id), encode_head(moved))
    with pytest.raises(CacheIncomplete, match="seal"):
        await walked(ground, live)


async def test_a_walk_notices_parts_of_another_generation(store, ground):
    other = await built(store, LISTED)
    live = await put_in_force(store, ground, LISTED)
    for key in (KEYS.bucket, KEYS.segment):
        restore(ground, key(live.id, 0), copy_of(ground, key(other.id, 0)))
        with pytest.raises(CacheIncomplete):
            await walked(ground, live)


async def test_a_generation_is_whole_after_any_changes_and_meanwhile(store, ground):
    live = await put_in_force(store, ground, LISTED)
    versions = iter(range(1, 1_000))

    async def change_meanwhile(_seconds):
        version = next(versions)
        coming = people(range(200 * version, 200 * version + 5), b"%d" % version)
        await changed(ground, live, step(version, coming | {token(version): None}))

    await walked(ground, live, change_meanwhile)
    await walked(ground, live, change_meanwhile)
    await loaded(ground)


async def test_a_big_change_that_breaks_off_leaves_a_generation_that_is_whole(store, ground):
    live = await put_in_force(store, ground, LISTED)
    many = people(range(1_000, 1_000 + 2 * SLICE_TOKENS))
    last = KEYS.bucket(live.id, live.bucket_of(max(map(stored, many))))
    lost = ground.field(last, SENTINEL)
    ground.lose_field(last, SENTINEL)
    with pytest.raises(CacheIncomplete):
        await changed(ground, live, step(1, many))
    ground.put_field(last, SENTINEL, lost)
    assert (await state_of(ground)).head.partial
    await walked(ground, live)
    await changed(ground, live, step(1, many))
    await walked(ground, live)


async def test_a_key_of_another_type_is_noticed(redis_ground):
    store = redis_ground.store()
    live = await put_in_force(store, redis_ground, LISTED)
    redis_ground.lose(bucket_of(live))
    redis_ground.put(bucket_of(live), b"no hash")
    with pytest.raises(CacheIncomplete, match="another type"):
        await walked(redis_ground, live)
    with pytest.raises(CacheIncomplete, match="another type"):
        await changed(redis_ground, live, step(1, {LISTED_PERSON: None}))
    await store.aclose()


async def test_of_two_publishers_one_writes_and_the_other_is_refused(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await changed(ground, live, step(1, {NEW_PERSON: b"v"}))
    with pytest.raises(CacheError):
        await changed(ground, live, step(1, {NEW_PERSON: b"other"}))
    await walked(ground, live)


async def test_a_list_whose_bucket_is_damaged_still_proves_nothing_of_a_lost_bucket(store, ground):
    live = await put_in_force(store, ground, LISTED)
    lose_a_bucket(ground, live)
    with pytest.raises(CacheIncomplete):
        await store.lookup([LISTED_PERSON])
