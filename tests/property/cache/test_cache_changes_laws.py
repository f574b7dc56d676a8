"""A generation with the changes since is the same as one that is built later."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from cache.changes import Change
from cache.filter import BLOCK_BYTES, may_contain
from cache.keys import Keys
from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_list_writer import MemoryListWriter
from cache.memory_parts import MemoryParts
from cache.token_key import FIRST_KEY
from cache.verification import Walk
from tests.support.cache_keys import token_keys
from tests.support.positions import position

KEYS = Keys("checker")

# Few enough that changes meet, spread over all buckets and blocks.
tokens = st.integers(0, 40).map(lambda number: bytes([number * 6]) + bytes(7) + bytes([number]) * 8)
values = st.binary(max_size=4)
lists = st.dictionaries(tokens, values)
numbers = st.integers(1, 3)
changes = st.lists(st.dictionaries(tokens, values | st.none()), max_size=6)


async def at_once(_seconds):
    """Walk on without a pause."""


class Deployment:
    """A list in memory; its clock stands still."""

    def __init__(self, key=FIRST_KEY):
        self.token_keys = token_keys(key)
        self.memory = MemoryStore(lambda: 0.0)
        self.store = MemoryStandingCache(self.memory, token_keys=self.token_keys, segment_blocks=3)
        self.list_writer = MemoryListWriter(self.memory, token_keys=self.token_keys)

    async def build(self, listed, version):
        key = self.token_keys.current

        async def stream():
            yield sorted((key.stored(token), value) for token, value in listed.items())

        return await self.store.build(
            position=position(version),
            token_key=key.fingerprint,
            count=len(listed),
            entries=stream(),
        )

    async def put_in_force(self, listed, version=0):
        generation = await self.build(listed, version)
        await self.store.switch(generation)
        return generation

    async def apply(self, generation, changes, *, live):
        for previous, outlines in enumerate(changes):
            steps = {"before": position(previous), "after": position(previous + 1)}
            change = Change(**steps, outlines=outlines)
            await self.list_writer.apply(generation, change, live=live)

    async def answers(self, generation, version, asked):
        assert await self.list_writer.vouch(generation, position(version), asked_ms_ago=0)
        return (await self.store.lookup(asked)).values

    async def verify(self, generation):
        """Every checksum, brought forward change by change, fits what is held now."""
        parts = MemoryParts(self.memory, KEYS)
        walk = Walk(parts, token_keys=self.token_keys, pause_s=0, sleep=at_once)
        await walk.over(generation)

    def may_contain(self, generation, token):
        token = self.token_keys.known(generation.token_key).stored(token)
        index, start = generation.block_of(token)
        segment = self.memory.strings[KEYS.segment(generation.id, index)]
        return may_contain(segment[start : start + BLOCK_BYTES], token)


def after(listed, changes):
    """Return the list that these changes make of one."""
    for outlines in changes:
        listed = listed | outlines
    return {token: value for token, value in listed.items() if value is not None}


# The first example also loads numpy, which takes longer on a busy machine.
@settings(deadline=None)
@given(listed=lists, changes=changes, live=st.booleans(), keys=st.tuples(numbers, numbers))
def test_a_build_and_its_changes_equal_the_later_build(listed, changes, live, keys):
    """Under the same key or under another one."""

    async def run():
        deployment = Deployment(keys[0])
        generation = await deployment.build(listed, 0)
        if live:
            await deployment.store.switch(generation)
        await deployment.apply(generation, changes, live=live)
        if not live:
            await deployment.store.switch(generation)
        asked = sorted({*listed, *(token for outlines in changes for token in outlines)})
        kept = await deployment.answers(generation, len(changes), asked)
        final = after(listed, changes)
        later = Deployment(keys[1])
        rebuilt = await later.put_in_force(final, len(changes))
        assert kept == await later.answers(rebuilt, len(changes), asked)
        assert all(deployment.may_contain(generation, token) for token in final)
        await deployment.verify(generation)

    asyncio.run(run())


@given(listed=lists, changes=changes, key=numbers)
def test_what_the_stream_tells_is_all_that_a_filter_must_take_in(listed, changes, key):
    async def run():
        deployment = Deployment(key)
        generation = await deployment.put_in_force(listed)
        held = {token for token in listed if deployment.may_contain(generation, token)}
        await deployment.apply(generation, changes, live=True)
        told = {
            entry[b"t"][start : start + 16]
            for _, entry in deployment.memory.streams.get(KEYS.changes, [])
            for start in range(0, len(entry[b"t"]), 16)
        }
        restored = {deployment.token_keys.current.restored(token) for token in told}
        assert {*after(listed, changes)} <= held | restored

    asyncio.run(run())
