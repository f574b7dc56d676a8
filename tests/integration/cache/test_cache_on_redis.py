"""The layout of the keys, which only Redis can show."""

import asyncio

import pytest

from cache.errors import CacheMisconfigured
from cache.filter import block_mask
from cache.redis_store import RedisStandingCache
from tests.integration.cache.cache_grounds import (
    KEYS,
    TOKEN_KEYS,
    built,
    people,
    put_in_force,
    token,
)

LISTED = people(range(100))


@pytest.mark.anyio
async def test_a_redis_that_keeps_its_policy_to_itself_is_refused(redis_ground):
    client = redis_ground.client
    client.acl_setuser("mute", enabled=True, nopass=True, commands=["+@all", "-info"], keys=["*"])
    try:
        url = redis_ground.url.replace("unix://", "unix://mute:any@")
        store = RedisStandingCache.connect(url, token_keys=TOKEN_KEYS)
        for ask in (store.ping, store.verify_policy):
            with pytest.raises(CacheMisconfigured, match="does not tell"):
                await ask()
        await store.aclose()
    finally:
        client.acl_deluser("mute")


def test_no_key_but_the_marker_of_a_build_and_the_vouch_has_a_time_to_live(redis_ground):
    async def build_two():
        store = redis_ground.store()
        await put_in_force(store, redis_ground, LISTED)
        pending = await built(store, LISTED, version=2)
        await store.aclose()
        return pending

    pending = asyncio.run(build_two())
    redis_ground.lose(KEYS.vouched)
    expiring = {name for name in redis_ground.names() if redis_ground.client.ttl(name) != -1}
    assert expiring == {f"checker:g:{pending.id}:building"}
    assert 0 < redis_ground.client.ttl(expiring.pop()) <= 600


def test_a_build_renews_its_marker_while_it_writes(redis_ground):
    many = people(range(8_000))

    async def hesitating():
        entries = sorted(many.items())
        yield entries[:4_000]
        [marker] = redis_ground.client.scan_iter("*:building")
        redis_ground.client.expire(marker, 10)
        yield entries[4_000:]

    async def build():
        store = redis_ground.store()
        generation = await built(store, many, entries=hesitating())
        await store.aclose()
        return generation

    generation = asyncio.run(build())
    assert redis_ground.client.ttl(f"checker:g:{generation.id}:building") > 10


def test_buckets_stay_compact_with_the_longest_values(redis_ground):
    async def build():
        store = redis_ground.store()
        generation = await built(store, people(range(5_000), b"x" * 64))
        await store.aclose()
        return generation

    generation = asyncio.run(build())
    kinds = {
        redis_ground.client.object("encoding", f"checker:g:{generation.id}:b:{index}")
        for index in range(generation.buckets)
    }
    assert kinds <= {b"ziplist", b"listpack"}


def test_a_position_is_a_bit_as_redis_numbers_them(redis_ground):
    mask = block_mask(token(1))
    for position in range(512):
        if mask >> (511 - position) & 1:
            redis_ground.client.setbit("block", position, 1)
    assert redis_ground.client.get("block").ljust(64, b"\0") == mask.to_bytes(64)
