"""What was said of a listing, and a snapshot that still holds it."""

from datetime import timedelta

import msgspec
import pytest

from checker.domain.clock import shanghai_day
from checker.node.runtime import open_runtime
from tests.support.fake_clock import FakeClock
from tests.support.registry_grounds import (
    AT,
    ENVIRON,
    config_of,
    feed_of,
    ndjson,
    outcome_of,
    person_listing,
)

pytestmark = pytest.mark.anyio

ENDS_ON = shanghai_day(AT) + timedelta(days=1)


@pytest.fixture
async def shielded(anyio_backend, tmp_path, database_url, empty_redis_url):
    """A node and its clock; the one listing is shielded, and ends tomorrow."""
    clock = FakeClock(AT)
    config = config_of(tmp_path, database_url, empty_redis_url)
    async with open_runtime(config, ENVIRON, clock=clock) as node:
        await node.feed.replace(feed_of(ndjson([person_listing(1)])))
        listing_id = person_listing(1)["id"]
        delisting = {"op": "delist", "listing_id": listing_id, "ground": "settled", "on": ENDS_ON}
        lines = [{"op": "shield", "listing_id": listing_id}, delisting]
        body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        assert (await node.changes.apply(feed_of(body))).accepted == 2
        yield node, clock


async def test_a_listing_that_is_only_repeated_stays_shielded(shielded):
    node, _ = shielded
    await node.feed.replace(feed_of(ndjson([person_listing(1)])))
    assert await outcome_of(node, 1) == "allow"


async def test_what_is_retained_of_a_shielded_listing_holds_from_its_delisting_on(shielded):
    node, clock = shielded
    retention = {
        "op": "retain",
        "listing_id": person_listing(1)["id"],
        "measures": ["cn-2016-64/2.7.1"],
        "until": ENDS_ON + timedelta(days=9),
        "basis": "裁定",
    }
    await node.changes.apply(feed_of(msgspec.json.encode(retention)))
    assert await outcome_of(node, 1) == "allow"
    clock.instant += timedelta(days=1)
    assert await outcome_of(node, 1) == "deny"


async def test_a_listing_that_begins_anew_after_its_delisting_is_no_longer_shielded(shielded):
    node, clock = shielded
    clock.instant += timedelta(days=1)
    await node.feed.replace(feed_of(ndjson([person_listing(1)])))
    assert await outcome_of(node, 1) == "deny"
