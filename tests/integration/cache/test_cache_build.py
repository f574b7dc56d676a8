"""How a generation comes, becomes the live one, and goes."""

import asyncio

import pytest

from cache.errors import BuildRejected
from tests.integration.cache.cache_grounds import (
    KEYS,
    TOKEN_KEYS,
    built,
    people,
    put_in_force,
    state_of,
    stream,
    token,
)

pytestmark = pytest.mark.anyio

OLD, NEW = people(range(100), b"old"), people(range(50, 150), b"new")
ASKED = [token(0), token(75), token(149)]


async def test_without_a_pointer_no_generation_is_current(store):
    assert await store.current() is None


async def test_a_generation_tells_what_it_was_built_from(store, ground):
    generation = await put_in_force(store, ground, OLD, version=42)
    assert await store.current() == generation
    assert (generation.version, generation.entries) == (42, 100)
    assert (generation.as_of_ms, generation.token_key) == (
        1_795_000_000_000,
        TOKEN_KEYS.current.fingerprint,
    )


async def test_a_switch_replaces_the_whole_list(store, ground):
    await put_in_force(store, ground, OLD, version=1)
    assert (await store.lookup(ASKED)).values == (b"old", b"old", None)
    await put_in_force(store, ground, NEW, version=2)
    assert (await store.lookup(ASKED)).values == (None, b"new", b"new")


async def test_a_store_that_did_not_switch_sees_the_switch(store, ground):
    other = ground.store()
    await put_in_force(store, ground, OLD, version=1)
    await other.lookup(ASKED)
    await put_in_force(store, ground, NEW, version=2)
    await store.sweep()
    assert (await other.lookup(ASKED)).values == (None, b"new", b"new")
    await other.aclose()


async def test_a_sweep_leaves_the_live_and_the_building_and_takes_the_rest(store, ground):
    await put_in_force(store, ground, OLD, version=1)
    old = {name for name in ground.names() if KEYS.generation_of(name)}
    await put_in_force(store, ground, NEW, version=2)
    pending = await built(store, OLD, version=3)
    before = ground.names()
    assert await store.sweep() == len(old)
    assert ground.names() == before - old
    await store.switch(pending)
    assert await store.current() == pending


async def test_a_sweep_takes_a_build_that_was_given_up_but_no_live_one(store, ground):
    live = await put_in_force(store, ground, OLD)
    given_up = await built(store, NEW, version=2)
    for generation in (live, given_up):
        await store.give_up(generation)
    assert await store.sweep() == given_up.buckets + given_up.segments + 2
    assert (await store.lookup([token(1)])).generation == live
    with pytest.raises(BuildRejected):
        await store.switch(given_up)


async def test_a_sweep_takes_what_a_crash_left(store, ground):
    await put_in_force(store, ground, OLD)
    live = ground.names()
    crashed = await built(store, NEW, version=2)
    ground.lose(KEYS.marker(crashed.id))
    assert await store.sweep() == crashed.buckets + crashed.segments + 2
    assert ground.names() == live


async def test_a_sweep_touches_no_key_that_is_not_ours(store, ground):
    ground.put("checker:g", b"a stranger's")
    ground.put("checkers:g:ab:b:0", b"a stranger's")
    await store.sweep()
    assert ground.names() == {"checker:g", "checkers:g:ab:b:0"}


async def test_a_second_switch_to_the_live_generation_changes_nothing(store, ground):
    generation = await put_in_force(store, ground, OLD)
    await store.switch(generation)
    assert (await store.lookup(ASKED)).values == (b"old", b"old", None)


async def test_a_swept_generation_is_not_switched_to(store, ground):
    await put_in_force(store, ground, OLD, version=1)
    pending = await built(store, NEW, version=2)
    ground.lose(KEYS.marker(pending.id))
    await store.sweep()
    with pytest.raises(BuildRejected, match="too long ago"):
        await store.switch(pending)
    assert (await store.lookup(ASKED)).values == (b"old", b"old", None)


async def test_an_older_list_does_not_replace_a_newer_one(store, ground):
    slow = await built(store, OLD, version=1)
    await put_in_force(store, ground, NEW, version=2)
    with pytest.raises(BuildRejected, match="older"):
        await store.switch(slow)
    assert (await store.lookup(ASKED)).values == (None, b"new", b"new")


async def test_a_list_that_has_come_as_far_replaces_the_live_one(store, ground):
    await put_in_force(store, ground, OLD, version=2)
    same = await built(store, NEW, version=2)
    await store.switch(same)
    assert await store.current() == same


@pytest.mark.parametrize("damage", [None, b"rubbish"])
async def test_a_live_list_without_a_head_may_be_replaced(store, ground, damage):
    live = await put_in_force(store, ground, NEW, version=2)
    ground.lose(KEYS.head(live.id))
    if damage is not None:
        ground.put(KEYS.head(live.id), damage)
    older = await built(store, OLD, version=1)
    await store.switch(older)
    assert await store.current() == older


async def test_a_build_that_lost_its_head_is_not_switched_to(store, ground):
    pending = await built(store, NEW)
    ground.lose(KEYS.head(pending.id))
    with pytest.raises(BuildRejected):
        await store.switch(pending)


async def test_a_wish_for_a_rebuild_lasts_until_the_next_switch(store, ground):
    live = await put_in_force(store, ground, OLD)
    assert (await state_of(ground)).rebuild_wanted is None
    await store.request_rebuild(live.id)
    assert (await state_of(ground)).rebuild_wanted == live.id
    await put_in_force(store, ground, NEW, version=2)
    assert (await state_of(ground)).rebuild_wanted is None


async def unordered():
    yield sorted(NEW.items(), reverse=True)


async def unordered_batches():
    entries = sorted(NEW.items())
    yield entries[50:]
    yield entries[:50]


async def twice():
    yield [entry for entry in sorted(NEW.items()) for _ in range(2)]


async def twice_in_two_batches():
    entries = sorted(NEW.items())
    yield entries
    yield entries[-1:]


def too_long():
    return stream(NEW | {token(149): b"x" * 65})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count": 99}, "99 entries were announced and 100 came"),
        ({"count": 101}, "101 entries were announced and 100 came"),
        ({"count": 100_000}, "100000 entries were announced"),
        ({"entries": unordered}, "out of order"),
        ({"entries": unordered_batches}, "out of order"),
        ({"entries": twice, "count": 200}, "twice"),
        ({"entries": twice_in_two_batches, "count": 101}, "twice"),
        ({"entries": too_long}, "65 bytes"),
        ({"token_key": "0000000000000000"}, "not held"),
    ],
)
async def test_a_bad_build_is_refused_and_the_live_list_untouched(store, ground, changes, reason):
    await put_in_force(store, ground, OLD)
    before = ground.names()
    if "entries" in changes:
        changes = changes | {"entries": changes["entries"]()}
    with pytest.raises(BuildRejected, match=reason):
        await built(store, NEW, version=2, **changes)
    assert ground.names() == before
    assert (await store.lookup(ASKED)).values == (b"old", b"old", None)


async def failing():
    yield sorted(NEW.items())[:90]
    raise OSError("the registry went away")


async def test_an_error_of_the_source_passes_through_and_leaves_nothing(store, ground):
    await put_in_force(store, ground, OLD)
    before = ground.names()
    with pytest.raises(OSError, match="registry"):
        await built(store, NEW, entries=failing())
    assert ground.names() == before


async def test_a_cancelled_build_leaves_nothing(store, ground):
    begun = asyncio.Event()

    async def stuck():
        yield sorted(NEW.items())[:90]
        begun.set()
        await asyncio.Event().wait()

    build = asyncio.create_task(built(store, NEW, entries=stuck()))
    await begun.wait()
    assert ground.names()
    build.cancel()
    with pytest.raises(asyncio.CancelledError):
        await build
    assert ground.names() == set()


async def test_a_build_whose_keys_are_swept_under_it_is_refused(store, ground):
    async def swept():
        entries = sorted(NEW.items())
        yield entries[:90]
        for name in ground.names():
            ground.lose(name)
        yield entries[90:]

    with pytest.raises(BuildRejected, match="marker"):
        await built(store, NEW, entries=swept())
    assert ground.names() == set()


def lose_a_field(ground, generation_id):
    bucket = KEYS.bucket(generation_id, 0)
    ground.lose_field(bucket, max(ground.fields(bucket)))


DAMAGE = {
    "a bucket": lambda ground, id_: ground.lose(KEYS.bucket(id_, 0)),
    "a field": lose_a_field,
    "the head": lambda ground, id_: ground.lose(KEYS.head(id_)),
    "a segment": lambda ground, id_: ground.lose(KEYS.segment(id_, 0)),
    "the end of a segment": lambda ground, id_: ground.cut(KEYS.segment(id_, 0), 100),
    "the bits of a segment": lambda ground, id_: ground.blank(KEYS.segment(id_, 0)),
}


@pytest.mark.parametrize("lost", DAMAGE)
async def test_a_build_that_is_not_held_whole_is_refused(store, ground, lost):
    many = people(range(8_000))

    async def damaging():
        entries = sorted(many.items())
        yield entries[:7_000]
        yield entries[7_000:7_900]  # the first batch has been written by now
        [marker] = [name for name in ground.names() if name.endswith(":building")]
        DAMAGE[lost](ground, KEYS.generation_of(marker))
        yield entries[7_900:]

    with pytest.raises(BuildRejected, match="held"):
        await built(store, many, entries=damaging())
    assert ground.names() == set()
