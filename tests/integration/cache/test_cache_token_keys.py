"""A generation of another token key takes over while the list changes and everybody asks."""

import asyncio
import random
from contextlib import suppress

import pytest

from cache.errors import BuildRejected, CacheError, CacheIncomplete, CacheUnvouched, ChangeRefused
from cache.list_writer import SLICE_TOKENS
from cache.replica_keeper import ReplicaKeeper, WordUnavailable
from cache.replica_source import BEFORE_ALL
from tests.integration.cache.cache_grounds import (
    TOKEN_KEYS,
    built,
    changed,
    opened,
    people,
    put_in_force,
    step,
    stream,
    token,
    vouched,
    walked,
)
from tests.integration.cache.pace import Pace
from tests.support.cache_keys import SECOND, first_key

pytestmark = pytest.mark.anyio

LISTED = people(range(100))
EVERYBODY = [token(number) for number in range(700)]


def other_key():
    """Return a key that is not the current one."""
    return TOKEN_KEYS.numbered(1 + TOKEN_KEYS.current.number % 3)


async def built_under(store, listed, version, key):
    entries = stream(listed, key=key)
    return await built(store, listed, version, token_key=key.fingerprint, entries=entries)


class Deployment:
    """A registry that changes all the time, its publisher, and what was listed in each version."""

    def __init__(self, ground, store, dice):
        self.ground, self.store, self.dice = ground, store, dice
        self.lists = {1: LISTED}
        self.changes = {}
        self.is_over = False
        self.pace = Pace(2)

    @property
    def version(self):
        return max(self.lists)

    def change(self):
        """Make a change in the registry; some changes come to the cache in slices."""
        count = self.dice.choice([0, 1, 5, 5, SLICE_TOKENS + 50])
        asked = self.dice.sample(EVERYBODY, count)
        outlines = {each: self.dice.choice([b"v", b"w", None]) for each in asked}
        before = self.version
        after = self.lists[before] | outlines
        self.changes[before] = step(before, outlines)
        self.lists[before + 1] = {each: value for each, value in after.items() if value is not None}

    async def publish(self):
        """Bring changes to the live generation, and vouch, until all is over."""
        async with opened(self.ground.list_writer()) as writer:
            while not self.is_over:
                self.change()
                state = await writer.state()
                while state.head.version < self.version:
                    with suppress(ChangeRefused):
                        change = self.changes[state.head.version]
                        await writer.apply(state.generation, change, live=True)
                    state = await writer.state()
                await writer.vouch(state.generation, state.head.position, asked_ms_ago=0)
                await asyncio.sleep(0)

    async def replace(self, key):
        """Put a generation of this key in the place of the live one, as a rebuild does."""
        version = self.version
        generation = await built_under(self.store, self.lists[version], version, key)
        async with opened(self.ground.list_writer()) as writer:
            while True:
                while version < self.version:
                    await writer.apply(generation, self.changes[version], live=False)
                    version += 1
                with suppress(BuildRejected):
                    await self.store.switch(generation)
                    break
        await self.store.sweep()
        return generation

    async def look_up(self):
        """Look people up until all is over."""
        while not self.is_over:
            asked = self.dice.sample(EVERYBODY, self.dice.choice([1, 1, 5, 300]))
            try:
                lookup = await self.store.lookup(asked)
            except CacheUnvouched:
                await asyncio.sleep(0)
                continue
            listed = self.lists[lookup.position.version]
            assert lookup.values == tuple(listed.get(each) for each in asked)
            await self.pace.came_back("lookup")
            await asyncio.sleep(0)

    async def follow(self, keeper):
        """Keep a node's replica and ask it, until all is over."""
        while not self.is_over:
            with suppress(CacheError):
                await keeper.read_once()
            if self.ask(keeper):
                await self.pace.came_back("replica")
            await asyncio.sleep(0)

    def ask(self, keeper):
        """Ask a node about everybody; return whether it answers."""
        one_by_one = [keeper.ask([each]) for each in EVERYBODY[::50]]
        for absence in (keeper.ask(EVERYBODY), keeper.ask_about_many(EVERYBODY)):
            if absence is None:
                return False
            maybes = {EVERYBODY[place] for place in absence.maybes}
            assert self.lists[absence.position.version].keys() <= maybes
            marked = {keeper.markers[place] for place in keeper.marked}
            assert self.lists[absence.position.version].keys() & {*keeper.markers} <= marked
        for each, absence in zip(EVERYBODY[::50], one_by_one, strict=True):
            assert absence.maybes or each not in self.lists[absence.position.version]
        return True


async def no_word(_node, _after):
    raise WordUnavailable


async def test_nobody_gets_a_wrong_answer_while_keys_are_replaced(store, ground, seed):
    deployment = Deployment(ground, store, random.Random(seed))
    await put_in_force(store, ground, LISTED)
    async with opened(ground.replica_source()) as source:
        keeper = ReplicaKeeper("node", source, no_word, markers=EVERYBODY[:5])
        async with asyncio.TaskGroup() as group:
            group.create_task(deployment.publish())
            group.create_task(deployment.look_up())
            group.create_task(deployment.follow(keeper))
            for number in (2, 3, 1):
                live = await deployment.replace(TOKEN_KEYS.numbered(number))
                for _ in range(3):
                    await deployment.pace.wait_for_all()
            deployment.is_over = True
        assert await store.current() == live
        # Now all is still: the node comes to hold the newest list under the newest key.
        while not (keeper.holds_lease and keeper.position.version == deployment.version):
            await vouched(ground, live, deployment.version)
            await keeper.read_once()
        assert deployment.ask(keeper)
        strangers = [token(number) for number in range(10_000, 10_500)]
        assert len(keeper.ask(strangers).maybes) < 50
    assert await vouched(ground, live, deployment.version)
    newest = deployment.lists[deployment.version]
    lookup = await store.lookup(EVERYBODY)
    assert lookup.values == tuple(newest.get(each) for each in EVERYBODY)
    await walked(ground, live)


async def test_an_entry_under_another_key_than_the_live_one_is_never_taken_in(store, ground):
    """As where Redis is set back to a generation of an older key, and goes on from there."""
    await put_in_force(store, ground, LISTED)
    async with opened(ground.replica_source()) as source:
        start = (await source.read_stream(BEFORE_ALL, wait_s=0)).cursor
        live = await store.current()
        await changed(ground, live, step(1, people([1_000])))
        read = await source.read_stream(start, wait_s=0)
        assert ([len(entry.tokens) for entry in read.entries], read.unbroken) == ([1], True)
        await store.switch(await built_under(store, people(range(101)), 2, other_key()))
        read = await source.read_stream(start, wait_s=0)
        assert (read.entries, read.unbroken) == ((), False)
        # A node that loads anew stands behind the entry.
        image = await source.load()
        assert image.key == other_key()
        read = await source.read_stream(image.cursor, wait_s=0)
        assert (read.entries, read.unbroken) == ((), True)


async def test_a_generation_whose_key_is_learned_later_is_served_from_then_on(store, ground):
    key = TOKEN_KEYS.numbered(2)
    held = first_key()
    live = await built_under(store, LISTED, 1, key)
    await store.switch(live)
    assert await vouched(ground, live, 1)
    reader, source = ground.store(token_keys=held), ground.replica_source(token_keys=held)
    writer = ground.list_writer(token_keys=held)
    async with opened(reader), opened(source), opened(writer):
        for refused in (
            reader.lookup([token(1)]),
            source.load(),
            writer.apply(live, step(1, people([1_000])), live=True),
            walked(ground, live, token_keys=held),
        ):
            with pytest.raises(CacheIncomplete, match="not held"):
                await refused
        assert not (await source.read_stream(BEFORE_ALL, wait_s=0)).unbroken
        with pytest.raises(BuildRejected, match="not held"):
            await built_under(reader, LISTED, 1, key)
        held.learn({2: SECOND})
        assert (await reader.lookup([token(1), token(1_000)])).values == (b"v", None)
        assert (await source.load()).key.fingerprint == key.fingerprint
        await writer.apply(live, step(1, people([1_000])), live=True)
        assert await vouched(ground, live, 2)
        assert (await reader.lookup([token(1_000)])).values == (b"v",)
