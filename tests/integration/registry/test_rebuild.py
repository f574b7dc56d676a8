"""A rebuild holds what changes had made of the cache, and leaves nothing of it behind."""

import pytest

from cache.errors import CacheIncomplete
from loadtest.population import Population
from tests.support.registry_grounds import (
    accepted,
    feed_of,
    generations,
    person_listing,
    publish,
    settled,
    until,
)

pytestmark = pytest.mark.anyio


async def test_a_rebuild_holds_what_the_snapshot_put_there(node, redis_client):
    await node.feed.replace(feed_of(*Population(11, 800).listing_lines()))
    built = await contents(node, redis_client)
    await node.publisher.rebuild_now()

    assert await contents(node, redis_client) == built


async def test_a_rebuild_holds_what_changes_have_made_of_the_list(node, redis_client):
    await publish(node, [person_listing(index) for index in range(200)])
    await accepted(
        node,
        *({"op": "shield", "listing_id": f"listing-{index}"} for index in range(0, 200, 3)),
        {"op": "list", "listing": person_listing(200, expires_on="2027-01-01")},
    )
    await settled(node)
    changed = await values(node, redis_client)
    await node.publisher.rebuild_now()

    assert await values(node, redis_client) == changed
    assert len(changed) == 200 - 67 + 1


async def test_a_rebuild_leaves_no_keys_of_what_it_replaced(node, redis_client):
    await publish(node, [person_listing(1), person_listing(2)])
    before = await node.cache.current()
    after = await node.publisher.rebuild_now()

    async def is_swept():
        return generations(redis_client) == {after.id}

    assert after.id != before.id
    await until(is_swept)


async def test_without_a_list_there_is_nothing_to_rebuild(node):
    assert await node.publisher.rebuild_now() is None
    with pytest.raises(CacheIncomplete):
        await node.cache.lookup([node.sealer.name_token("nobody")])


async def contents(node, client):
    """Every bucket and segment of the live generation, without its random id and checksums."""
    live = await node.cache.current()
    prefix = f"checker:g:{live.id}:".encode()
    found = {}
    for kind, read in ((b"b:", client.hgetall), (b"f:", client.get)):
        for key in client.scan_iter(prefix + kind + b"*"):
            held = read(key)
            if isinstance(held, dict):
                del held[b"!"]
            found[key.removeprefix(prefix)] = held
    assert len(found) > 2
    return found


async def values(node, client):
    """What the live generation says of whom, wherever it is kept."""
    held = await contents(node, client)
    buckets = [fields for place, fields in held.items() if place.startswith(b"b:")]
    return {
        token: value for bucket in buckets for token, value in bucket.items() if len(token) == 16
    }
