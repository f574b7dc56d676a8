"""What a hand or a fault changes in a generation is noticed: by a walk, and by a loading node."""

import pytest
from cache_grounds import (
    CHECKSUM_KEY,
    KEYS,
    built,
    changed,
    opened,
    people,
    put_in_force,
    state_of,
    step,
    token,
)

from cache.changes import encode_head
from cache.checksum import SEAL_FIELD, segment_field, shelf_field, shelf_of
from cache.errors import CacheError, CacheIncomplete
from cache.layout import SENTINEL
from cache.publication import SLICE_TOKENS
from cache.verification import Walk

pytestmark = pytest.mark.anyio

LISTED = people(range(100))
LISTED_PERSON, NEW_PERSON = token(7), token(1_000)


async def no_pause(_seconds):
    pass


async def walked(ground, generation, sleep=no_pause):
    parts = ground.parts()
    try:
        await Walk(parts, checksum_key=CHECKSUM_KEY, sleep=sleep).over(generation)
    finally:
        if hasattr(parts, "aclose"):
            await parts.aclose()


async def loaded(ground):
    async with opened(ground.following()) as following:
        return await following.load()


def bucket_of(generation, person=LISTED_PERSON):
    return KEYS.bucket(generation.id, generation.bucket_of(person))


def segment_of(generation, person=LISTED_PERSON):
    return KEYS.segment(generation.id, generation.block_of(person)[0])


def copy_of(ground, key):
    """What a key holds, hash or string."""
    return (
        ground.get(key) if ":f:" in key else {f: ground.field(key, f) for f in ground.fields(key)}
    )


def restore(ground, key, held):
    """Put back what a key held once."""
    ground.lose(key)
    if isinstance(held, bytes):
        ground.put(key, held)
    else:
        for field, value in held.items():
            ground.put_field(key, field, value)


def delete_a_token(ground, live):
    ground.lose_field(bucket_of(live), LISTED_PERSON)


def add_a_token(ground, live):
    ground.put_field(bucket_of(live), token(5_000), b"v")


def change_a_value(ground, live):
    ground.put_field(bucket_of(live), LISTED_PERSON, b"w")


def move_bytes_from_one_field_to_the_next(ground, live):
    bucket = bucket_of(live)
    first, second = sorted(ground.fields(bucket) - {SENTINEL})[:2]
    for gone in (first, second):
        ground.lose_field(bucket, gone)
    ground.put_field(bucket, first[:15], b"v")
    ground.put_field(bucket, first[15:] + second, b"v")


def copy_a_sentinel(ground, live):
    other = KEYS.bucket(live.id, (live.bucket_of(LISTED_PERSON) + 1) % live.buckets)
    ground.put_field(bucket_of(live), SENTINEL, ground.field(other, SENTINEL))


def empty_a_sentinel(ground, live):
    ground.put_field(bucket_of(live), SENTINEL, b"")


def swap_two_buckets(ground, live):
    one, other = bucket_of(live), KEYS.bucket(live.id, 0)
    held = copy_of(ground, one), copy_of(ground, other)
    assert one != other
    for key, copy in zip((other, one), held, strict=True):
        restore(ground, key, copy)


def lose_a_bucket(ground, live):
    ground.lose(bucket_of(live))


OF_BUCKETS = [
    delete_a_token,
    add_a_token,
    change_a_value,
    move_bytes_from_one_field_to_the_next,
    copy_a_sentinel,
    empty_a_sentinel,
    swap_two_buckets,
    lose_a_bucket,
]


def zero_a_segment(ground, live):
    ground.blank(segment_of(live))


def clear_a_bit(ground, live):
    data = bytearray(ground.get(segment_of(live)))
    at = next(index for index, byte in enumerate(data) if byte)
    data[at] &= data[at] - 1
    ground.put(segment_of(live), bytes(data))


def set_a_bit(ground, live):
    data = bytearray(ground.get(segment_of(live)))
    at = next(index for index, byte in enumerate(data) if byte != 0xFF)
    data[at] |= data[at] + 1
    ground.put(segment_of(live), bytes(data))


def swap_two_segments(ground, live):
    one, other = KEYS.segment(live.id, 0), KEYS.segment(live.id, 1)
    held = ground.get(one), ground.get(other)
    assert held[0] != held[1]
    ground.put(one, held[1])
    ground.put(other, held[0])


def lose_a_segment(ground, live):
    ground.lose(segment_of(live))


def swap_two_segments_and_their_records(ground, live):
    swap_two_segments(ground, live)
    sums, fields = KEYS.sums(live.id), (segment_field(0), segment_field(1))
    held = [ground.field(sums, field) for field in fields]
    for field, record in zip(fields, reversed(held), strict=True):
        ground.put_field(sums, field, record)


def zero_a_record(ground, live):
    ground.put_field(KEYS.sums(live.id), segment_field(0), bytes(16))


def lose_a_record(ground, live):
    ground.lose_field(KEYS.sums(live.id), shelf_field(0))


def add_a_record(ground, live):
    ground.put_field(KEYS.sums(live.id), b"f999", bytes(16))


def cut_a_record(ground, live):
    ground.put_field(KEYS.sums(live.id), segment_field(0), b"1")


def lose_the_seal(ground, live):
    ground.lose_field(KEYS.sums(live.id), SEAL_FIELD)


def cut_the_seal(ground, live):
    ground.put_field(KEYS.sums(live.id), SEAL_FIELD, b"1")


def lose_all_records(ground, live):
    ground.lose(KEYS.sums(live.id))


OF_SEGMENTS_AND_RECORDS = [
    zero_a_segment,
    clear_a_bit,
    set_a_bit,
    swap_two_segments,
    swap_two_segments_and_their_records,
    lose_a_segment,
    zero_a_record,
    lose_a_record,
    add_a_record,
    cut_a_record,
    lose_the_seal,
    cut_the_seal,
    lose_all_records,
]


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
    shelf = shelf_of(live.bucket_of(NEW_PERSON))
    return [bucket_of(live, NEW_PERSON)], [shelf_field(shelf)]


def its_segment(live):
    return [segment_of(live, NEW_PERSON)], []


def its_segment_and_record(live):
    segment, _ = live.block_of(NEW_PERSON)
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
    moved = type(head)(version=head.version + 1, as_of_ms=head.as_of_ms)
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
    last = KEYS.bucket(live.id, live.bucket_of(max(many)))
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
