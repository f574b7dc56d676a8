"""Under any sequence of commands and losses, the twin and Redis say the same, and the truth."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from cache.errors import CacheError
from cache.layout import SENTINEL
from tests.integration.cache.cache_grounds import (
    KEYS,
    MemoryGround,
    RedisGround,
    built,
    changed,
    people,
    state_of,
    step,
    token,
    vouched,
)

FIRST = ("put_in_force", range(100), 1)

small = st.integers(0, 9)
spans = st.tuples(st.integers(0, 150), st.integers(0, 120)).map(
    lambda span: range(span[0], sum(span))
)
commands = st.one_of(
    st.tuples(st.just("build"), spans, st.integers(1, 3)),
    st.tuples(st.just("switch"), small),
    st.tuples(st.just("put_in_force"), spans, st.integers(1, 3)),
    st.tuples(st.just("look_up"), spans),
    st.tuples(st.just("apply"), small, spans, spans, st.booleans()),
    st.tuples(st.just("apply_old"), small, spans),
    st.tuples(st.just("vouch"), small, st.integers(0, 2)),
    st.tuples(st.just("vouch_late")),
    st.tuples(st.just("withdraw")),
    st.tuples(st.just("request_rebuild"), small),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("lose_head"), small),
    st.tuples(st.just("lose_nodes")),
    st.tuples(st.just("lose_pointer")),
    st.tuples(st.just("lose_marker"), small),
    st.tuples(st.just("lose_bucket"), small, small),
    st.tuples(st.just("lose_sentinel"), small, small),
    st.tuples(st.just("lose_segment"), small, small),
    st.tuples(st.just("cut_segment"), small, small, st.integers(0, 128)),
)


class Run:
    """One run of commands over one ground; numbers stand for generations, whose ids are random."""

    def __init__(self, ground):
        self.ground = ground
        self.store = ground.store()
        self.generations = []
        self.lists = []
        self.heads = []

    async def outcome(self, command):
        name, *arguments = command
        try:
            return await getattr(self, name)(*arguments)
        except CacheError as error:
            return type(error).__name__

    async def witnesses(self):
        """Look up a few persons, each alone: a loss must not reach whom it does not touch."""
        return [await self.outcome(("look_up", [number])) for number in (5, 60, 110, 170, 1_000)]

    async def build(self, span, version):
        listed = people(span, b"%d" % len(self.lists))
        self.generations.append(await built(self.store, listed, version))
        self.lists.append(listed)
        self.heads.append(version)

    async def switch(self, number):
        if self.generations:
            await self.store.switch(self._generation(number))

    async def put_in_force(self, span, version):
        await self.build(span, version)
        await self.store.switch(self.generations[-1])
        await vouched(self.ground, self.generations[-1], version)

    async def apply(self, number, coming, going, live):
        """Bring the next change into a generation, as if the generation stood where it last did."""
        for generation in self._chosen(number):
            index = self.generations.index(generation)
            outlines = people(coming, b"%d:%d" % (index, self.heads[index]))
            outlines |= dict.fromkeys(people(going))
            await changed(self.ground, generation, step(self.heads[index], outlines), live=live)
            self.heads[index] += 1
            self.lists[index] = self.lists[index] | outlines

    async def apply_old(self, number, coming):
        """Bring a change that begins before where the generation stands."""
        for generation in self._chosen(number):
            index = self.generations.index(generation)
            change = step(self.heads[index] - 1, people(coming, b"zombie"), self.heads[index] + 5)
            await changed(self.ground, generation, change)

    async def vouch(self, number, ahead):
        return [
            await vouched(self.ground, generation, self._head_of(generation) + ahead)
            for generation in self._chosen(number)
        ]

    async def vouch_late(self):
        return [
            await vouched(self.ground, generation, self._head_of(generation), asked_ms_ago=251)
            for generation in self._chosen(0)
        ]

    async def withdraw(self):
        await self.store.withdraw()

    async def request_rebuild(self, number):
        for generation in self._chosen(number):
            await self.store.request_rebuild(generation.id)

    async def look_up(self, numbers):
        tokens = [token(number) for number in numbers]
        lookup = await self.store.lookup(tokens)
        number = self.generations.index(lookup.generation)
        listed = self.lists[number]
        assert lookup.values == tuple(listed.get(asked) for asked in tokens)
        assert lookup.position.version == self.heads[number]
        return number, lookup.position

    async def state(self):
        """Return all that a publisher and a node may see, with numbers for random ids."""
        state = await state_of(self.ground)
        ids = [generation.id for generation in self.generations]
        live = None if state.generation is None else ids.index(state.generation.id)
        wanted = None if state.rebuild_wanted is None else ids.index(state.rebuild_wanted)
        has_sentinel = self.ground.field(KEYS.nodes, SENTINEL) is not None
        return live, state.head, wanted, has_sentinel, self.ground.entries()

    def filters(self):
        """Return the bits of all generations that are there."""
        return [
            self.ground.get(KEYS.segment(generation.id, index))
            for generation in self.generations
            for index in range(generation.segments)
        ]

    async def sweep(self):
        return await self.store.sweep(), len(self.ground.names())

    async def lose_pointer(self):
        self.ground.lose(KEYS.pointer)

    async def lose_head(self, number):
        for generation in self._chosen(number):
            self.ground.lose(KEYS.head(generation.id))

    async def lose_nodes(self):
        self.ground.lose(KEYS.nodes)

    async def lose_marker(self, number):
        for generation in self._chosen(number):
            self.ground.lose(KEYS.marker(generation.id))

    async def lose_bucket(self, number, index):
        for generation in self._chosen(number):
            self.ground.lose(KEYS.bucket(generation.id, index % generation.buckets))

    async def lose_sentinel(self, number, index):
        for generation in self._chosen(number):
            bucket = KEYS.bucket(generation.id, index % generation.buckets)
            self.ground.lose_field(bucket, SENTINEL)

    async def lose_segment(self, number, index):
        for generation in self._chosen(number):
            self.ground.lose(KEYS.segment(generation.id, index % generation.segments))

    async def cut_segment(self, number, index, length):
        for generation in self._chosen(number):
            self.ground.cut(KEYS.segment(generation.id, index % generation.segments), length)

    def _head_of(self, generation):
        return self.heads[self.generations.index(generation)]

    def _generation(self, number):
        return self.generations[-1 - number % len(self.generations)]

    def _chosen(self, number):
        return [self._generation(number)] if self.generations else []


async def outcomes(ground, sequence):
    run = Run(ground)
    try:
        return [
            (command, await run.outcome(command), await run.witnesses(), await run.state())
            for command in sequence
        ], run.filters()
    finally:
        await run.store.aclose()


@settings(max_examples=60, deadline=None)
@given(sequence=st.lists(commands, max_size=16).map(lambda rest: [FIRST, *rest]))
def test_the_twin_and_redis_agree_under_any_sequence_of_commands(redis_url, sequence):
    ground = RedisGround(redis_url)
    try:
        theirs = asyncio.run(outcomes(ground, sequence))
    finally:
        ground.client.close()
    assert asyncio.run(outcomes(MemoryGround(), sequence)) == theirs
