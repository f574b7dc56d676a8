"""Changes come into a generation one by one, and only where they belong."""

import pytest

from cache.changes import StreamEntry
from cache.errors import BuildRejected, CacheIncomplete, CacheUnvouched, ChangeRefused
from cache.filter import may_contain
from cache.layout import SENTINEL
from cache.list_writer import SLICE_TOKENS
from tests.integration.cache.cache_grounds import (
    KEYS,
    built,
    changed,
    head,
    people,
    position,
    put_in_force,
    state_of,
    step,
    stored,
    token,
    vouched,
)

pytestmark = pytest.mark.anyio

LISTED = people(range(100))


def change_entry(version, previous, tokens, final=True):
    before = position(previous)
    return StreamEntry(
        position=position(version),
        previous=before.version,
        previous_id=before.change_id,
        tokens=tokens,
        final=final,
    )


async def found(store, ground, generation, version, numbers):
    assert await vouched(ground, generation, version)
    return (await store.lookup([token(number) for number in numbers])).values


async def test_who_came_is_there_and_who_left_is_gone_and_others_stay(store, ground):
    live = await put_in_force(store, ground, LISTED)
    outlines = {token(1_000): b"new", token(1): None, token(2): b"other", token(2_000): None}
    await changed(ground, live, step(1, outlines))
    values = await found(store, ground, live, 2, [1_000, 1, 2, 3, 2_000])
    assert values == (b"new", None, b"other", b"v", None)
    assert (await state_of(ground)).head == head(2, added=1)


async def test_a_change_tells_its_new_tokens_to_the_nodes(store, ground):
    live = await put_in_force(store, ground, LISTED)
    new = [token(1_000), token(1_001)]
    await changed(ground, live, step(1, dict.fromkeys(new, b"v") | {token(1): None}, version=4))
    assert ground.entries() == [
        change_entry(1, 1, ()),  # the heartbeat of the vouch
        change_entry(4, 1, tuple(sorted(map(stored, new)))),
    ]


async def test_a_change_of_nobody_moves_the_head_and_is_told(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await changed(ground, live, step(1, {}))
    assert (await state_of(ground)).head == head(2)
    assert ground.entries()[-1] == change_entry(2, 1, ())


async def test_the_filter_has_every_bit_of_who_came(store, ground):
    live = await put_in_force(store, ground, LISTED)
    numbers = range(1_000, 1_200)
    await changed(ground, live, step(1, people(numbers)))
    for number in numbers:
        index, start = live.block_of(stored(token(number)))
        segment = ground.get(KEYS.segment(live.id, index))
        assert len(segment) == live.segment_bytes(index)
        assert may_contain(segment[start : start + 64], stored(token(number)))


async def test_a_big_change_comes_in_slices_and_moves_the_head_with_the_last(store, ground):
    live = await put_in_force(store, ground, LISTED)
    many = people(range(1_000, 1_000 + 2 * SLICE_TOKENS + 1))
    await changed(ground, live, step(1, many))
    _, *entries = ground.entries()
    assert [(entry.position.version, entry.previous, entry.final) for entry in entries] == [
        (1, 1, False),
        (1, 1, False),
        (2, 1, True),
    ]
    assert [asked for entry in entries for asked in entry.tokens] == sorted(map(stored, many))
    assert (await state_of(ground)).head == head(2, added=len(many))
    assert set(await found(store, ground, live, 2, range(1_000, 1_001 + 2 * SLICE_TOKENS))) == {
        b"v"
    }


async def test_a_big_change_that_breaks_off_is_brought_again_without_harm(store, ground):
    live = await put_in_force(store, ground, LISTED)
    many = people(range(1_000, 1_000 + 2 * SLICE_TOKENS))
    last = max(map(stored, many))
    sentinel = KEYS.bucket(live.id, live.bucket_of(last))
    lost = ground.field(sentinel, SENTINEL)
    ground.lose_field(sentinel, SENTINEL)
    with pytest.raises(CacheIncomplete):
        await changed(ground, live, step(1, many))
    broken_off = (await state_of(ground)).head
    assert broken_off == head(1, added=SLICE_TOKENS, partial=broken_off.partial)
    assert broken_off.partial
    assert not ground.entries()[-1].final
    ground.put_field(sentinel, SENTINEL, lost)
    with pytest.raises(CacheUnvouched):  # what is there is neither version
        await store.lookup([token(1)])
    await changed(ground, live, step(1, many))
    assert (await state_of(ground)).head == head(2, added=len(many))
    assert set(await found(store, ground, live, 2, range(1_000, 1_000 + 2 * SLICE_TOKENS))) == {
        b"v"
    }


async def test_only_tokens_that_were_not_there_count_as_added(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await changed(ground, live, step(1, people(range(90, 110))))
    assert (await state_of(ground)).head == head(2, added=10)


@pytest.mark.parametrize("previous", [0, 2])
async def test_a_change_that_begins_elsewhere_is_refused_and_changes_nothing(
    store, ground, previous
):
    live = await put_in_force(store, ground, LISTED)
    before = ground.entries()
    with pytest.raises(ChangeRefused):
        await changed(ground, live, step(previous, {token(1): None}, version=9))
    assert ground.entries() == before
    assert await found(store, ground, live, 1, [1]) == (b"v",)


async def test_a_change_for_a_generation_that_was_replaced_is_refused(store, ground):
    old = await put_in_force(store, ground, LISTED)
    await put_in_force(store, ground, LISTED)
    with pytest.raises(ChangeRefused):
        await changed(ground, old, step(1, {token(1): None}))


async def test_a_change_where_nothing_is_live_is_refused(store, ground):
    live = await put_in_force(store, ground, LISTED)
    await store.withdraw()
    with pytest.raises(ChangeRefused):
        await changed(ground, live, step(1, {}))


@pytest.mark.parametrize("live", [True, False])
async def test_a_lost_segment_is_told_and_never_made_anew(store, ground, live):
    generation = await built(store, LISTED)
    if live:
        await store.switch(generation)
    segment = KEYS.segment(generation.id, generation.block_of(stored(token(1_000)))[0])
    ground.lose(segment)
    with pytest.raises(CacheIncomplete, match="segment"):
        await changed(ground, generation, step(1, {token(1_000): b"v"}), live=live)
    assert segment not in ground.names()
    ground.put(segment, bytes(127))
    with pytest.raises(CacheIncomplete, match="segment"):
        await changed(ground, generation, step(1, {token(1_000): b"v"}), live=live)
    assert ground.get(segment) == bytes(127)


@pytest.mark.parametrize("value", [b"v", None])
async def test_a_lost_bucket_is_told_and_never_made_anew(store, ground, value):
    live = await put_in_force(store, ground, LISTED)
    bucket = KEYS.bucket(live.id, live.bucket_of(stored(token(1_000))))
    ground.lose(bucket)
    outlines = people(range(1_001, 1_050)) | {token(1_000): value}
    with pytest.raises(CacheIncomplete, match="bucket"):
        await changed(ground, live, step(1, outlines))
    assert bucket not in ground.names()
    assert (await state_of(ground)).head == head(1)
    with pytest.raises(CacheIncomplete):
        await found(store, ground, live, 1, [1_000])


async def test_a_build_is_caught_up_before_it_is_switched_to(store, ground):
    live = await put_in_force(store, ground, LISTED)
    pending = await built(store, LISTED)
    await changed(ground, live, step(1, {token(1): None}))
    told = ground.entries()
    with pytest.raises(BuildRejected, match="older"):
        await store.switch(pending)
    await changed(ground, pending, step(1, {token(1): None}), live=False)
    assert ground.entries() == told
    await store.switch(pending)
    assert (await state_of(ground)).head == head(2)
    assert await found(store, ground, pending, 2, [1, 2]) == (None, b"v")


async def test_a_build_whose_marker_is_gone_takes_no_change(store, ground):
    pending = await built(store, LISTED)
    ground.lose(KEYS.marker(pending.id))
    with pytest.raises(ChangeRefused):
        await changed(ground, pending, step(1, {}), live=False)


async def test_a_generation_that_has_gone_live_takes_no_change_as_a_build(store, ground):
    live = await put_in_force(store, ground, LISTED)
    with pytest.raises(ChangeRefused):
        await changed(ground, live, step(1, {}), live=False)


@pytest.mark.parametrize("outlines", [{bytes(15): b"v"}, {token(1): bytes(65)}])
async def test_a_misshapen_change_is_refused(store, ground, outlines):
    live = await put_in_force(store, ground, LISTED)
    with pytest.raises(ValueError, match="bytes"):
        await changed(ground, live, step(1, outlines))
    assert (await state_of(ground)).head == head(1)
