"""Markers under a clock, and a memory out of reach: only the twin can show them."""

import pytest

from cache.errors import BuildRejected, CacheMisconfigured, CacheUnavailable, CacheUnvouched
from cache.lease import SETTLED_S, VOUCH_MS
from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_list_writer import MemoryListWriter
from cache.store import BUILD_MARKER_TTL_S
from tests.support.cache_keys import first_key
from tests.support.fake_clock import FakeClock
from tests.support.positions import position

TOKEN_KEYS = first_key()

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def memory(clock):
    return MemoryStore(clock)


@pytest.fixture
def store(memory):
    return MemoryStandingCache(memory, token_keys=TOKEN_KEYS)


async def nothing():
    yield []


def build(store, entries=None):
    return store.build(
        position=position(1),
        token_key=TOKEN_KEYS.current.fingerprint,
        count=0,
        entries=entries or nothing(),
    )


async def test_a_build_is_swept_when_its_marker_has_run_out_and_not_before(store, memory, clock):
    await build(store)
    clock.seconds = BUILD_MARKER_TTL_S - 1
    assert await store.sweep() == 0
    clock.seconds = BUILD_MARKER_TTL_S
    generation_keys = 43 + 1 + 1 + 1  # buckets, a segment, the head and the checksums
    assert await store.sweep() == generation_keys
    assert memory.names() == set()


async def test_a_build_whose_marker_has_run_out_is_not_switched_to(store, clock):
    generation = await build(store)
    clock.seconds = BUILD_MARKER_TTL_S
    with pytest.raises(BuildRejected, match="too long ago"):
        await store.switch(generation)
    assert await store.current() is None


async def test_a_build_that_outlives_its_marker_is_refused(store, memory, clock):
    async def slow():
        clock.seconds += BUILD_MARKER_TTL_S
        await store.sweep()
        yield []

    with pytest.raises(BuildRejected, match="marker"):
        await build(store, slow())
    assert memory.names() == set()


async def test_a_build_renews_its_marker_while_it_writes(store, clock):
    async def slow():
        for first in range(256):
            clock.seconds += BUILD_MARKER_TTL_S / 100
            yield [(bytes([first]) + bytes(15), b"")]

    generation = await store.build(
        position=position(1), token_key=TOKEN_KEYS.current.fingerprint, count=256, entries=slow()
    )
    await store.switch(generation)
    assert await store.current() == generation


async def test_a_memory_out_of_reach_is_unavailable(store, memory):
    memory.reachable = False
    for call in (store.lookup([]), store.current(), store.sweep(), store.ping()):
        with pytest.raises(CacheUnavailable):
            await call


async def test_a_memory_that_evicts_is_refused(store, memory):
    memory.policy = "allkeys-lru"
    with pytest.raises(CacheMisconfigured):
        await store.verify_policy()


async def test_a_vouch_is_believed_until_it_ends_and_not_longer(store, memory, clock):
    generation = await build(store)
    await store.switch(generation)
    list_writer = MemoryListWriter(memory, token_keys=TOKEN_KEYS)
    assert await list_writer.vouch(generation, position(1), asked_ms_ago=200)
    clock.seconds += (VOUCH_MS - 201) / 1000
    await store.lookup([])
    clock.seconds += 0.002
    with pytest.raises(CacheUnvouched):
        await store.lookup([])


async def test_the_nodes_are_whole_when_all_leases_from_before_have_ended(store, memory, clock):
    generation = await build(store)
    await store.switch(generation)
    list_writer = MemoryListWriter(memory, token_keys=TOKEN_KEYS)

    async def are_whole():
        assert await list_writer.vouch(generation, position(1), asked_ms_ago=0)
        return (await list_writer.state()).nodes_whole

    assert not await are_whole()
    clock.seconds += SETTLED_S
    assert await are_whole()
    memory.run_id = "f" * 40
    assert not (await list_writer.state()).nodes_whole
    assert not await are_whole()
    clock.seconds += SETTLED_S
    assert await are_whole()
    memory.remove("checker:nodes")
    assert not await are_whole()
