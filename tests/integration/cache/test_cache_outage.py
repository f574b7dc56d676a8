"""Redis frozen, dead, silent, starved, restarted: never absence, and never a long wait."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from cache.errors import BuildRejected, CacheIncomplete, CacheUnavailable
from cache.redis_pipe import CONNECT_S_MIN
from cache.redis_store import Patience, RedisStandingCache
from cache.replica_source import BEFORE_ALL, ENTRIES_AT_ONCE
from tests.integration.cache.cache_grounds import (
    TOKEN_KEYS,
    RedisGround,
    built,
    opened,
    people,
    put_in_force,
    token,
    vouched,
)
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

LISTED = people(range(100))
HASTY = Patience(lookup_s=0.05, build_s=5.0, pause_s=0.5)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def own_ground(own_redis):
    ground = RedisGround(own_redis.url)
    yield ground
    ground.client.close()


class SilentServer:
    """Takes every connection, reads everything and never says a word."""

    def __init__(self):
        self.connections = 0
        self.handlers = []

    async def __call__(self, reader, writer):
        self.connections += 1
        self.handlers.append(asyncio.current_task())
        await reader.read()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def silence():
    silent = SilentServer()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        yield silent, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*silent.handlers)


async def refuse_lookup(store):
    with pytest.raises(CacheUnavailable):
        await store.lookup([token(1)])


async def test_a_silent_redis_is_asked_once_a_pause(clock):
    async with silence() as (silent, url):
        store = RedisStandingCache.connect(url, token_keys=TOKEN_KEYS, patience=HASTY, clock=clock)
        for expected in (1, 1, 1):
            await refuse_lookup(store)
            assert silent.connections == expected
        clock.seconds += 0.5
        for expected in (2, 2):
            await refuse_lookup(store)
            assert silent.connections == expected
        await store.aclose()


async def test_everyone_who_waits_for_a_silent_redis_shares_one_wait(clock):
    async with silence() as (silent, url):
        store = RedisStandingCache.connect(url, token_keys=TOKEN_KEYS, patience=HASTY, clock=clock)
        await asyncio.gather(*(refuse_lookup(store) for _ in range(50)))
        assert silent.connections == 1
        await store.aclose()


async def test_every_question_to_a_silent_redis_ends():
    async with silence() as (_, url):
        quick = Patience(lookup_s=0.05, question_s=0.05, build_s=0.05)
        store = RedisStandingCache.connect(url, token_keys=TOKEN_KEYS, patience=quick)
        for call in (store.current(), store.ping(), store.verify_policy(), store.sweep()):
            with pytest.raises(CacheUnavailable, match=rf"{CONNECT_S_MIN} s"):
                await call
        with pytest.raises(CacheUnavailable):
            await built(store, {})
        await store.aclose()


async def test_a_redis_that_is_not_there_is_unavailable(tmp_path):
    store = RedisStandingCache.connect(f"unix://{tmp_path}/none", token_keys=TOKEN_KEYS)
    await refuse_lookup(store)
    for call in (store.current(), store.ping(), store.sweep(), built(store, {})):
        with pytest.raises(CacheUnavailable):
            await call
    await store.aclose()


async def test_a_frozen_redis_is_unavailable_until_it_thaws(own_redis, own_ground, clock):
    store = own_ground.store(patience=HASTY, clock=clock)
    await put_in_force(store, own_ground, LISTED)
    own_redis.freeze()
    try:
        await refuse_lookup(store)
    finally:
        own_redis.thaw()
    await refuse_lookup(store)
    clock.seconds += 0.5
    for _ in range(2):
        assert (await store.lookup([token(1), token(1_000)])).values == (b"v", None)
    await store.aclose()


async def test_a_late_reply_is_never_taken_for_another_question(own_redis, own_ground, clock):
    store = own_ground.store(patience=HASTY, clock=clock)
    await put_in_force(store, own_ground, {token(1): b"one", token(2): b"two"})
    own_redis.freeze()
    try:
        await refuse_lookup(store)
    finally:
        own_redis.thaw()
    clock.seconds += 0.5
    assert (await store.lookup([token(2)])).values == (b"two",)
    await store.aclose()


async def test_a_connection_that_redis_ended_is_replaced_without_a_failure(redis_ground):
    store = redis_ground.store()
    await put_in_force(store, redis_ground, LISTED)
    await store.lookup([token(1)])
    redis_ground.client.client_kill_filter(_type="normal", skipme=True)
    assert (await store.lookup([token(1)])).values == (b"v",)
    await store.aclose()


async def test_by_a_new_connection_no_heartbeat_counts_until_the_stream_was_read_to_its_end(
    redis_ground,
):
    store = redis_ground.store()
    live = await put_in_force(store, redis_ground, LISTED)
    async with opened(redis_ground.replica_source()) as source:
        read = await source.read_stream(BEFORE_ALL, wait_s=0)
        assert any(entry.is_heartbeat for entry in read.entries)
        redis_ground.client.client_kill_filter(_type="normal", skipme=True)
        for _ in range(ENTRIES_AT_ONCE + 1):
            assert await vouched(redis_ground, live, 1)
        for left in (ENTRIES_AT_ONCE, 1):
            before = read.cursor
            read = await source.read_stream(before, wait_s=0)
            assert (read.entries, read.newest) == ((), left == 1)
            assert read.cursor != before
        assert await vouched(redis_ground, live, 1)
        read = await source.read_stream(read.cursor, wait_s=0)
        assert [entry.is_heartbeat for entry in read.entries] == [True]
    await store.aclose()


async def test_a_redis_that_lost_its_memory_is_incomplete(redis_ground):
    store = redis_ground.store()
    await put_in_force(store, redis_ground, LISTED)
    await store.lookup([token(1)])
    redis_ground.client.flushall()
    for number in (1, 1_000):
        with pytest.raises(CacheIncomplete):
            await store.lookup([token(number)])
    assert await store.current() is None
    await store.aclose()


async def test_a_build_for_which_there_is_no_memory_is_refused_and_the_live_list_untouched(
    own_ground,
):
    store = own_ground.store()
    await put_in_force(store, own_ground, LISTED)
    before = own_ground.names()
    used = own_ground.client.info("memory")["used_memory"]
    own_ground.client.config_set("maxmemory", used + 500_000)
    with pytest.raises(BuildRejected, match="maxmemory"):
        await built(store, people(range(20_000), b"x" * 64), version=2)
    assert own_ground.names() == before
    assert (await store.lookup([token(1), token(1_000)])).values == (b"v", None)
    await store.aclose()


async def test_a_bucket_of_a_wrong_type_is_unavailable_not_absent(redis_ground):
    store = redis_ground.store()
    generation = await put_in_force(store, redis_ground, LISTED)
    for index in range(generation.buckets):
        redis_ground.client.set(f"checker:g:{generation.id}:b:{index}", b"")
    with pytest.raises(CacheUnavailable, match="WRONGTYPE"):
        await store.lookup([token(1)])
    await store.aclose()


async def test_replies_behind_a_refused_command_are_never_read(redis_ground, clock):
    store = redis_ground.store(clock=clock)
    generation = await put_in_force(store, redis_ground, LISTED)
    wrong = generation.bucket_of(token(1))
    redis_ground.client.set(f"checker:g:{generation.id}:b:{wrong}", b"")
    spared = [number for number in range(100) if generation.bucket_of(token(number)) != wrong]
    with pytest.raises(CacheUnavailable, match="WRONGTYPE"):
        await store.lookup([token(1), *map(token, spared)])
    clock.seconds += 0.5
    assert (await store.lookup([token(spared[0]), token(1_000)])).values == (b"v", None)
    await store.aclose()


async def test_closing_fails_whoever_still_waits():
    async with silence() as (_, url):
        store = RedisStandingCache.connect(url, token_keys=TOKEN_KEYS)
        waiting = asyncio.create_task(store.lookup([token(1)]))
        await asyncio.sleep(0)
        await store.aclose()
        with pytest.raises(CacheUnavailable, match="closed"):
            await waiting
        await refuse_lookup(store)
