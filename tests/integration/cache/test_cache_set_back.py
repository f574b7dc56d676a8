"""Redis is set back to an older file in the middle of something: nobody takes old bits for new."""

import copy

import pytest

from cache.errors import CacheUnavailable
from cache.redis_list_writer import RedisListWriter
from cache.redis_replica_source import RedisReplicaSource, ReplicaSourcePatience
from cache.replica import Replica
from tests.integration.cache.cache_grounds import (
    KEYS,
    TOKEN_KEYS,
    MemoryGround,
    RedisGround,
    changed,
    opened,
    people,
    position,
    put_in_force,
    step,
)
from tests.integration.cache.way_to_redis import copy_to, socket_of, way_to

pytestmark = pytest.mark.anyio

NODE = "node"
AT = position(1)
LISTED = people(range(100))
LATER = people(range(1_000, 1_100))
PATIENT = ReplicaSourcePatience(answer_s=20, load_s=20, stream_s=20)
OTHER_RUN = "f" * 40


def lacking(image, tokens):
    """Those of the tokens that whoever takes over the image would rule out."""
    replica = Replica(image.generation, image.position, image.bits, image.key)
    return [each for each in tokens if not replica.may_contain(each)]


@pytest.fixture
def older(own_redis):
    """Another server, for what the first one held once."""
    ground = RedisGround(own_redis.url)
    yield ground
    ground.client.close()


async def test_a_load_begins_anew_if_redis_is_set_back_meanwhile(redis_ground, older):
    async with opened(redis_ground.store()) as store:
        live = await put_in_force(store, redis_ground, LISTED)
    heard = []

    async with way_to(redis_ground) as way:

        async def set_back(data):
            """The change is in when the head is read, is not when the bits are, and is again."""
            if KEYS.head(live.id).encode() in data and not heard:
                heard.append("head")
                copy_to(redis_ground, older)
                await changed(redis_ground, live, step(1, LATER))
            elif KEYS.segment(live.id, 0).encode() in data and heard == ["head"]:
                heard.append("bits")
                await way.lead_to(socket_of(older))
            elif b"XRANGE" in data and heard == ["head", "bits"]:
                heard.append("again")
                await changed(older, live, step(1, LATER))

        way.hear = set_back
        replica_source = RedisReplicaSource.connect(
            way.url, token_keys=TOKEN_KEYS, patience=PATIENT
        )
        async with opened(replica_source):
            image = await replica_source.load()
    assert heard == ["head", "bits", "again"]
    assert image.position.version == 2
    assert lacking(image, LATER) == []


async def test_the_twins_load_begins_anew_if_its_memory_is_set_back_meanwhile():
    ground = MemoryGround()
    memory = ground.memory
    live = await put_in_force(ground.store(), ground, LISTED)
    loading = ground.replica_source().load()
    loading.send(None)  # the end of the stream and the pointer are read
    older = copy.deepcopy((memory.strings, memory.hashes, memory.streams))
    await changed(ground, live, step(1, LATER))
    loading.send(None)  # the head and the first bits are read
    memory.strings, memory.hashes, memory.streams = older
    memory.run_id = OTHER_RUN
    for _ in range(live.segments - 1):
        loading.send(None)
    await changed(ground, live, step(1, LATER))
    image = finished(loading)
    assert image.position.version == 2
    assert lacking(image, LATER) == []


def finished(coroutine):
    """Go on with a coroutine that waits for nothing but its turn, and return its result."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


async def test_a_vouch_is_not_said_again_to_a_redis_that_was_set_back(redis_ground, older):
    async with opened(redis_ground.store()) as store:
        live = await put_in_force(store, redis_ground, LISTED)
    copy_to(redis_ground, older)
    told = older.entries()
    async with way_to(redis_ground) as way:
        list_writer = RedisListWriter.connect(way.url, timeout_s=20, token_keys=TOKEN_KEYS)
        async with opened(list_writer):
            assert (await list_writer.state()).head.version == 1
            await way.lead_to(socket_of(older))
            with pytest.raises(CacheUnavailable):
                await list_writer.vouch(live, position(1), asked_ms_ago=0)
    assert older.entries() == told


async def test_a_node_never_takes_its_own_repetition_for_a_stay(redis_ground):
    """Or one that was taken off the list, and whose coming back was not answered, would."""
    async with way_to(redis_ground) as way:
        replica_source = RedisReplicaSource.connect(
            way.url, token_keys=TOKEN_KEYS, patience=PATIENT
        )
        async with opened(replica_source):
            assert [await replica_source.acknowledge(NODE, AT) for _ in range(2)] == [False, True]
            redis_ground.lose_field(KEYS.nodes, NODE)
            way.loses_next_reply = True
            with pytest.raises(CacheUnavailable):
                await replica_source.acknowledge(NODE, AT)
            assert redis_ground.field(KEYS.nodes, NODE) is not None, "it came there"
            assert [await replica_source.acknowledge(NODE, AT) for _ in range(2)] == [False, True]
