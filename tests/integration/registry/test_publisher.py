"""Whatever befalls Redis, the publisher brings it back, and meanwhile the registry answers."""

import asyncio
import json

import pytest
from registry_grounds import (
    ENVIRON,
    FINGERPRINT,
    check_of,
    config_of,
    feed_of,
    name_of,
    outcome_of,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
)

from cache.errors import CacheIncomplete
from cache.redis_store import RedisStandingCache
from checker.errors import Unavailable
from checker.registry.publisher import Publisher
from checker.runtime import open_runtime
from loadtest.population import Population

pytestmark = pytest.mark.anyio

CROWD = [check_of(resident_id(index), name_of(index)) for index in (1, 2, 3)]


@pytest.fixture
async def listed(node):
    await publish(node, [person_listing(1), person_listing(2)])
    return node


def lose_everything(client):
    client.flushall()


def lose_the_pointer(client):
    client.delete("checker:live")


def lose_the_buckets(client):
    client.delete(*client.keys("checker:g:*:b:*"))


def lose_the_filter(client):
    client.delete(*client.keys("checker:g:*:f:*"))


def spoil_the_pointer(client):
    client.set("checker:live", b"{}")


LOSSES = [
    lose_everything,
    lose_the_pointer,
    lose_the_buckets,
    lose_the_filter,
    spoil_the_pointer,
]


@pytest.mark.parametrize("lose", LOSSES)
async def test_checks_are_answered_from_the_registry_until_the_cache_is_whole_again(
    listed, redis_client, lose
):
    lose(redis_client)
    behind = await listed.checks.decide(CROWD)
    assert [decision.outcome for decision in behind.decisions] == ["deny", "deny", "allow"]
    assert behind.from_registry == 3

    assert await listed.publisher.look()
    restored = await listed.checks.decide(CROWD)
    assert [decision.outcome for decision in restored.decisions] == ["deny", "deny", "allow"]
    assert restored.from_registry == 2
    assert not await listed.publisher.look()


async def test_a_lost_bucket_is_found_by_the_first_check_that_needs_it(listed, redis_client):
    lose_the_buckets(redis_client)
    assert not await listed.publisher.look()
    assert await outcome_of(listed, 1) == "deny"
    assert await listed.publisher.look()


async def test_an_older_list_that_comes_back_with_redis_is_not_believed(listed, redis_client):
    old = {key: redis_client.dump(key) for key in redis_client.scan_iter()}
    await publish(listed, [person_listing(2), person_listing(3)])
    redis_client.flushall()
    for key, value in old.items():
        redis_client.restore(key, 0, value)

    assert (await listed.cache.current()).version == 1
    # Asked one by one: in a batch, whoever is found would have all others looked up again.
    assert [await outcome_of(listed, index) for index in (1, 2, 3)] == ["allow", "deny", "deny"]
    assert await listed.publisher.look()
    assert (await listed.cache.current()).version == 2
    assert await outcomes(listed, CROWD) == ["allow", "deny", "deny"]


async def test_one_of_two_publishers_rebuilds(listed, other_node, redis_client):
    redis_client.flushall()
    switched = await asyncio.gather(listed.publisher.look(), other_node.publisher.look())

    assert sorted(switched) == [False, True]
    assert not await other_node.publisher.look()


async def test_a_rebuild_that_another_process_ends_meanwhile_is_not_done_again(
    listed, other_node, redis_client, config
):
    class Overtaken(RedisStandingCache):
        """The real store; the other process rebuilds between the first answer and the lock."""

        overtaken = False

        async def current(self):
            found = await super().current()
            if not self.overtaken:
                self.overtaken = True
                assert await other_node.publisher.look()
            return found

    redis_client.flushall()
    cache = Overtaken.connect(config.redis_url, token_key=FINGERPRINT)
    publisher = Publisher(listed.work_engine, cache, FINGERPRINT)
    try:
        assert not await publisher.look()
    finally:
        await cache.aclose()


async def test_a_newer_list_than_the_registry_has_is_taken_down(listed, redis_client):
    """As after PostgreSQL was restored from a backup, or another database was named."""
    pointer = json.loads(redis_client.get("checker:live"))
    redis_client.set("checker:live", json.dumps(pointer | {"version": 99}))

    assert await listed.publisher.look()
    assert (await listed.cache.current()).version == 1
    assert await outcomes(listed, CROWD) == ["deny", "deny", "allow"]


async def test_a_list_of_another_registry_is_taken_down_where_there_is_none(
    listed, tmp_path, bare_database_url
):
    config = config_of(tmp_path, bare_database_url, listed.config.redis_url)
    async with open_runtime(config, ENVIRON) as empty:
        assert not await empty.publisher.look()
        assert await empty.cache.current() is None
        with pytest.raises(Unavailable):
            await outcome_of(empty, 3)


async def test_a_node_that_has_not_looked_yet_asks_the_registry(listed, other_node):
    decided = await other_node.checks.decide(CROWD)
    assert decided.from_registry == len(CROWD)

    await other_node.publisher.look()
    assert (await other_node.checks.decide(CROWD)).from_registry == 2


async def test_what_another_process_has_replaced_is_not_rebuilt_again(
    listed, other_node, redis_client
):
    await other_node.publisher.look()
    lose_the_buckets(redis_client)
    for node in (listed, other_node):
        assert await outcome_of(node, 1) == "deny"

    assert await listed.publisher.look()
    assert not await other_node.publisher.look()


async def test_a_rebuild_holds_what_the_snapshot_put_there(node, redis_client):
    await node.feed.replace(feed_of(*Population(11, 800).listing_lines()))
    built = _contents(redis_client)
    await node.publisher.rebuild()

    assert _contents(redis_client) == built


async def test_a_rebuild_leaves_no_keys_of_what_it_replaced(listed, redis_client):
    before = set(redis_client.scan_iter())
    await listed.publisher.rebuild()
    after = set(redis_client.scan_iter())

    assert before & after == {b"checker:live"}
    assert len(after) == len(before)


async def test_without_a_list_there_is_nothing_to_rebuild(node):
    assert not await node.publisher.look()
    assert await node.publisher.rebuild() is None
    with pytest.raises(CacheIncomplete):
        await node.cache.lookup([node.sealer.name_token("nobody")])


async def test_a_publisher_that_runs_brings_the_list_back_by_itself(listed, redis_client):
    running = asyncio.create_task(listed.publisher.run())
    try:
        redis_client.flushall()
        async with asyncio.timeout(20):
            while await listed.cache.current() is None:
                assert await outcome_of(listed, 1) == "deny"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert (await listed.cache.current()).version == 1


async def test_the_newest_version_is_that_of_the_registry(listed):
    [[newest]] = await query(listed, "SELECT max(version) FROM change")

    assert listed.publisher.newest.version == newest


def _contents(client):
    """Every bucket and segment of the one generation, without its random id."""
    found = {}
    for key in client.scan_iter("checker:g:*"):
        place = key.split(b":", 3)[3]
        kind = client.type(key)
        found[place] = client.hgetall(key) if kind == b"hash" else client.get(key)
    assert found
    return found
