"""Whatever befalls Redis, the publisher brings it back, and meanwhile the registry answers."""

import json

import pytest

from cache.errors import CacheError
from cache.keys import Keys
from checker.database.locks import Lock
from checker.errors import Unavailable
from checker.node.upkeep import publisher_running
from checker.operators.action import AT_THE_SERVER
from checker.registry.lost_changes import accept_lost
from tests.support.registry_grounds import (
    accepted,
    check_of,
    config_of,
    decide,
    generations,
    name_of,
    outcome_of,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
    serving,
    settled,
    until,
)

pytestmark = pytest.mark.anyio

CROWD = [check_of(resident_id(index), name_of(index)) for index in (1, 2, 3)]
KEYS = Keys()


@pytest.fixture
async def listed(node):
    await publish(node, [person_listing(1), person_listing(2)])
    return await settled(node)


@pytest.fixture
async def reader(anyio_backend, config, clock):
    """A node that answers and does not publish; nobody does unless the test says so."""
    async with serving(config, clock, publish=False) as runtime:
        async with publisher_running(runtime):
            await publish(runtime, [person_listing(1), person_listing(2)])
            await settled(runtime)
        yield runtime


def lose_everything(client):
    client.flushall()


def lose_the_pointer(client):
    client.delete(KEYS.pointer)


def lose_the_head(client):
    client.delete(*client.keys("checker:g:*:head"))


def lose_the_buckets(client):
    client.delete(*client.keys("checker:g:*:b:*"))


def spoil_the_pointer(client):
    client.set(KEYS.pointer, b"{}")


LOSSES = [lose_everything, lose_the_pointer, lose_the_head, lose_the_buckets, spoil_the_pointer]


@pytest.mark.parametrize("lose", LOSSES)
async def test_checks_are_answered_from_the_registry_until_the_cache_is_whole_again(
    reader, redis_client, lose
):
    lose(redis_client)
    behind = await decide(reader, *CROWD)
    assert [decision.outcome for decision in behind.decisions] == ["deny", "deny", "allow"]
    assert behind.from_registry == 3

    async with publisher_running(reader):
        await until(lambda: is_whole(reader))
        restored = await decide(reader, *CROWD)
    assert [decision.outcome for decision in restored.decisions] == ["deny", "deny", "allow"]
    assert restored.from_registry == 2


async def test_a_lost_filter_is_found_by_the_node_that_loads_it(listed, redis_client, config):
    before = await listed.cache.current()
    redis_client.delete(*redis_client.keys("checker:g:*:f:*"))
    async with serving(config, listed.clock, publish=False) as fresh:
        await settled(fresh)
        assert await outcomes(fresh, CROWD) == ["deny", "deny", "allow"]
    assert (await listed.cache.current()).id != before.id


async def test_a_lost_bucket_is_found_by_a_check_that_needs_it(listed, redis_client):
    before = await listed.cache.current()
    lose_the_buckets(redis_client)
    await until(lambda: is_whole(listed))
    assert (await listed.cache.current()).id != before.id


async def test_an_older_list_that_comes_back_with_redis_is_not_believed(reader, redis_client):
    old = {key: redis_client.dump(key) for key in redis_client.scan_iter(KEYS.any_generation)}
    pointer = redis_client.get(KEYS.pointer)
    async with publisher_running(reader):
        await publish(reader, [person_listing(2), person_listing(3)])
    redis_client.flushall()
    for key, value in old.items():
        redis_client.restore(key, 0, value)
    redis_client.set(KEYS.pointer, pointer)

    assert (await reader.cache.current()).version == 1
    assert await outcomes(reader, CROWD) == ["allow", "deny", "deny"]
    async with publisher_running(reader):
        await settled(reader)
        assert await outcomes(reader, CROWD) == ["allow", "deny", "deny"]
        assert (await reader.cache.current()).version == 2


async def test_a_list_that_comes_back_from_before_some_changes_is_brought_forward(
    reader, redis_client
):
    held = {key: redis_client.dump(key) for key in redis_client.scan_iter(KEYS.any_generation)}
    async with publisher_running(reader):
        await accepted(
            reader,
            {"op": "delist", "listing_id": "listing-1", "ground": "fulfilled"},
            {"op": "list", "listing": person_listing(3)},
        )
    for key, value in held.items():
        redis_client.restore(key, 0, value, replace=True)
    redis_client.delete(KEYS.vouched)

    assert await outcomes(reader, CROWD) == ["allow", "deny", "deny"]
    async with publisher_running(reader):
        await settled(reader)
        assert await outcomes(reader, CROWD) == ["allow", "deny", "deny"]


async def test_one_of_two_publishers_leads_and_the_other_takes_over(reader, redis_client):
    async with publisher_running(reader):
        await until(lambda: is_led(reader))
        async with publisher_running(reader):
            redis_client.flushall()
            await until(lambda: looks_up(reader, *CROWD))
            [[leaders]] = await query(reader, LEADERS, lock=int(Lock.PUBLISHER) & 0xFFFFFFFF)
            assert leaders == 1
            live = await reader.cache.current()
            assert generations(redis_client) == {live.id}
    async with publisher_running(reader):
        await accepted(reader, {"op": "list", "listing": person_listing(3)})
        await settled(reader)
        assert await outcome_of(reader, 3) == "deny"
        assert await reader.cache.current() == live


async def test_a_generation_that_was_replaced_already_is_not_replaced_again(listed):
    old = await listed.cache.current()
    new = await listed.publisher.rebuild_now()
    await listed.cache.request_rebuild(old.id)
    await accepted(listed, {"op": "list", "listing": person_listing(3)})
    await settled(listed)

    assert new.id != old.id
    assert await listed.cache.current() == new


async def test_a_newer_list_than_the_registry_has_is_taken_down_until_the_older_is_accepted(
    listed, redis_client
):
    """As after PostgreSQL was restored from a backup, or another database was named."""
    before = await listed.cache.current()
    head = KEYS.head(before.id)
    redis_client.set(head, json.dumps(json.loads(redis_client.get(head)) | {"version": 99}))

    async def is_over():
        return await listed.cache.current() is None and not listed.replica.holds_lease

    await until(is_over)
    for index in (1, 2, 3):
        with pytest.raises(Unavailable, match="went back to an older state"):
            await outcome_of(listed, index)
    with pytest.raises(Unavailable, match="went back to an older state"):
        await listed.publisher.rebuild_now()

    async with listed.work_engine.begin() as connection:
        assert await accept_lost(
            connection, listed.sealer.vault, listed.clock.now(), by=AT_THE_SERVER
        ) == (99,)
    await until(lambda: is_replaced(listed, before))
    await settled(listed)
    assert (await listed.cache.current()).version == 1
    assert await outcomes(listed, CROWD) == ["deny", "deny", "allow"]


async def test_a_list_of_another_registry_is_taken_down_where_there_is_none(
    reader, tmp_path, bare_database_url, clock
):
    config = config_of(tmp_path, bare_database_url, reader.config.redis_url)

    async def is_withdrawn():
        return await empty.cache.current() is None

    async with serving(config, clock) as empty:
        await until(is_withdrawn)
        with pytest.raises(Unavailable):
            await outcome_of(empty, 3)


async def test_a_node_whose_replica_is_not_loaded_yet_asks_the_cache(listed, config):
    async with serving(config, listed.clock, publish=False) as fresh:
        decided = await decide(fresh, *CROWD)
    assert [decision.outcome for decision in decided.decisions] == ["deny", "deny", "allow"]
    assert decided.from_registry == 2


async def test_a_publisher_that_runs_brings_the_list_back_by_itself(listed, redis_client):
    redis_client.flushall()

    async def is_back():
        assert await outcome_of(listed, 1) == "deny"
        return await listed.cache.current() is not None

    await until(is_back)
    assert (await listed.cache.current()).version == 1


LEADERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted"


async def is_led(node):
    [[leaders]] = await query(node, LEADERS, lock=int(Lock.PUBLISHER) & 0xFFFFFFFF)
    return leaders == 1


async def looks_up(node, *checks):
    """Whether the cache proves what it says of all these."""
    tokens = [node.sealer.document_token(check.document) for check in checks]
    try:
        await node.cache.lookup(tokens)
    except CacheError:
        return False
    return True


async def is_whole(node):
    """Whether the cache is whole again, while checks go on, of which one finds what is missing."""
    assert await outcomes(node, CROWD) == ["deny", "deny", "allow"]
    return await looks_up(node, *CROWD)


async def is_replaced(node, generation):
    live = await node.cache.current()
    return live is not None and live.id != generation.id
