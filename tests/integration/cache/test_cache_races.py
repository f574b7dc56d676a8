"""Lookups while the list is rebuilt, switched and swept as fast as it goes."""

import asyncio
import random

import pytest

from cache.errors import CacheUnvouched
from tests.integration.cache.cache_grounds import (
    built,
    opened,
    people,
    put_in_force,
    step,
    token,
    vouched,
)
from tests.integration.cache.pace import Pace

pytestmark = pytest.mark.anyio

# Who is listed changes with the version too: the even versions leave one half out.
ALWAYS, SOMETIMES, NEVER = range(100), range(100, 200), range(1_000, 1_100)


def listed_in(version):
    label = b"%d" % version
    return people(ALWAYS, label) | (people(SOMETIMES, label) if version % 2 else {})


async def rebuild(store, ground, versions, pace):
    for version in versions:
        await pace.wait_for_all()
        await put_in_force(store, ground, listed_in(version), version)
        await store.sweep()


async def look_until(done, store, looker, pace, seed):
    """Look up all kinds of persons until `done`; return the versions seen, in order."""
    dice = random.Random(seed + looker)
    seen = []
    while not done.is_set():
        size = dice.choice([1, 1, 1, 5, 5, 1_500])
        numbers = [dice.choice(dice.choice([ALWAYS, SOMETIMES, NEVER])) for _ in range(size)]
        try:
            lookup = await store.lookup([token(number) for number in numbers])
        except CacheUnvouched:  # between a switch and the vouch for it
            await asyncio.sleep(0)
            continue
        version = lookup.position.version
        expected = listed_in(version)
        assert lookup.values == tuple(expected.get(token(number)) for number in numbers), looker
        seen.append(version)
        await pace.came_back(looker)
        await asyncio.sleep(0)  # the twin's lookups never give way by themselves
    return seen


async def test_every_lookup_sees_exactly_one_whole_generation(store, ground, seed):
    await put_in_force(store, ground, listed_in(1))
    readers = [store, ground.store()]
    done = asyncio.Event()
    pace = Pace(8)
    async with asyncio.TaskGroup() as group:
        lookers = [
            group.create_task(look_until(done, readers[looker % 2], looker, pace, seed))
            for looker in range(8)
        ]
        await rebuild(store, ground, range(2, 22), pace)
        done.set()
    for seen in (looker.result() for looker in lookers):
        assert seen == sorted(seen)
        assert len(set(seen)) > 5
    await readers[1].aclose()


async def swap(ground, generation, versions, pair):
    """List one of the pair and not the other, by turns, a change for each version."""
    async with opened(ground.list_writer()) as list_writer:
        for version in versions:
            outlines = {pair[version % 2]: b"v", pair[1 - version % 2]: None}
            await list_writer.apply(generation, step(version - 1, outlines), live=True)


@pytest.mark.parametrize("size", [900, 1_500], ids=["one part", "two parts"])
async def test_a_lookup_of_many_speaks_of_one_version_while_the_list_moves(
    store, ground, size, seed
):
    pair = (token(0), token(1))
    live = await put_in_force(store, ground, people([1, *ALWAYS[2:]]))
    between = [token(number) for number in range(2, size)]
    dice = random.Random(seed)
    version, answered = 1, 0
    for _ in range(60):
        versions = range(version + 1, version + 1 + dice.randrange(12))
        version = versions.stop - 1
        looking = asyncio.create_task(store.lookup([pair[0], *between, pair[1]]))
        await swap(ground, live, versions, pair)
        try:
            lookup = await looking
        except CacheUnvouched:  # the list moved on faster than it was read
            continue
        answered += 1
        listed = [place for place in (0, -1) if lookup.values[place] is not None]
        assert listed == [-(lookup.position.version % 2)], "one of them, whichever the version says"
    assert answered > 4


async def test_lookups_at_once_are_each_answered_for_their_own(store, ground):
    await put_in_force(store, ground, {token(number): b"%d" % number for number in ALWAYS})
    lookups = await asyncio.gather(
        *(store.lookup([token(number), token(number + 1_000)]) for number in range(200))
    )
    assert [lookup.values for lookup in lookups] == [
        (b"%d" % number if number in ALWAYS else None, None) for number in range(200)
    ]


async def test_of_two_builds_at_once_both_are_whole(store, ground):
    other = ground.store()
    first, second = await asyncio.gather(
        built(store, listed_in(1), 1), built(other, listed_in(2), 2)
    )
    for generation in (first, second):
        await store.switch(generation)
        assert await vouched(ground, generation, generation.version)
        lookup = await other.lookup([token(5), token(105)])
        expected = listed_in(generation.version)
        assert lookup.values == (expected[token(5)], expected.get(token(105)))
    await other.aclose()
