"""A list in the cache that a hand has changed is taken down, and the publisher builds it anew."""

import logging

import pytest

from cache.keys import Keys
from cache.redis_parts import RedisParts
from cache.verification import Walk
from checker.node.upkeep import publisher_running
from checker.publication.verification import Verification
from tests.support.registry_grounds import (
    TOKEN_KEYS,
    check_of,
    name_of,
    outcomes,
    person_listing,
    publish,
    resident_id,
    serving,
    settled,
    until,
)

pytestmark = pytest.mark.anyio

KEYS = Keys()
CROWD = [check_of(resident_id(index), name_of(index)) for index in (1, 2, 3)]
RIGHT = ["deny", "deny", "allow"]


@pytest.fixture
async def listed(node):
    await publish(node, [person_listing(1), person_listing(2)])
    return await settled(node)


def delete_tokens(client):
    for bucket in client.scan_iter("checker:g:*:b:*"):
        if tokens := set(client.hkeys(bucket)) - {b"!"}:
            client.hdel(bucket, *tokens)


def zero_segments(client):
    for segment in client.scan_iter("checker:g:*:f:*"):
        client.set(segment, bytes(client.strlen(segment)))


def make_the_layout_an_old_one(client):
    pointer = client.get(KEYS.pointer)
    assert b'"layout":3' in pointer
    client.set(KEYS.pointer, pointer.replace(b'"layout":3', b'"layout":2'))


class Reader:
    """A background reader that a test calls when it likes."""

    def __init__(self, node):
        self.parts = RedisParts.connect(node.config.redis_url)
        walk = Walk(self.parts, token_keys=TOKEN_KEYS, pause_s=0)
        self.verification = Verification(node.cache, walk)


@pytest.fixture
async def reader(listed):
    reader = Reader(listed)
    yield reader
    await reader.parts.aclose()


@pytest.mark.parametrize("damage", [delete_tokens, zero_segments])
async def test_a_list_that_was_changed_by_hand_is_withdrawn_and_built_anew(
    listed, reader, redis_client, damage, caplog
):
    before = await listed.cache.current()
    assert await reader.verification.is_whole()
    damage(redis_client)
    with caplog.at_level(logging.ERROR):
        assert not await reader.verification.is_whole()
    assert await outcomes(listed, CROWD) == RIGHT
    [told] = [record for record in caplog.records if "withdrawn" in record.message]
    assert resident_id(1) not in told.message
    await settled(listed)
    assert (await listed.cache.current()).id != before.id
    assert await outcomes(listed, CROWD) == RIGHT
    assert await reader.verification.is_whole()


async def test_a_node_that_starts_does_not_take_bits_that_were_zeroed(
    listed, redis_client, config, clock
):
    before = await listed.cache.current()
    zero_segments(redis_client)
    async with serving(config, clock, publish=False) as fresh:
        assert await outcomes(fresh, CROWD) == RIGHT
        await settled(fresh)
        assert await outcomes(fresh, CROWD) == RIGHT
    assert (await listed.cache.current()).id != before.id


async def test_a_list_of_the_layout_before_is_built_anew(listed, redis_client):
    before = await listed.cache.current()
    make_the_layout_an_old_one(redis_client)
    assert await outcomes(listed, CROWD) == RIGHT

    async def is_rebuilt():
        raw = redis_client.get(KEYS.pointer)
        return raw is not None and b'"layout":3' in raw

    await until(is_rebuilt)
    await settled(listed)
    assert (await listed.cache.current()).id != before.id


async def test_the_leader_itself_reads_in_the_background(listed, redis_client, config, clock):
    """Without anybody who asks for it: the interval is a few seconds."""
    before = await listed.cache.current()
    delete_tokens(redis_client)

    async def is_rebuilt():
        raw = redis_client.get(KEYS.pointer)
        return raw is not None and before.id.encode() not in raw

    await until(is_rebuilt)
    await settled(listed)
    assert await outcomes(listed, CROWD) == RIGHT


async def test_a_list_that_is_replaced_during_a_walk_is_not_taken_down(listed, redis_client):
    replaced = []

    async def replace(_seconds):
        if not replaced:
            replaced.append(await publish(listed, [person_listing(1), person_listing(2)]))
            assert await listed.cache.sweep() == 0

    parts = RedisParts.connect(listed.config.redis_url)
    walk = Walk(parts, token_keys=TOKEN_KEYS, sleep=replace)
    assert await Verification(listed.cache, walk).is_whole()
    assert replaced
    assert await listed.cache.current() is not None
    await parts.aclose()


async def test_a_walk_without_a_list_finds_nothing(node):
    async with publisher_running(node):
        assert await Reader(node).verification.is_whole()
