"""A node that starts without its stores uses those that come back, if they are its deployment's."""

import base64
from contextlib import asynccontextmanager

import msgspec
import pytest

from cache.errors import CacheUnavailable
from checker.accounts.keys import PREFIX
from checker.database.engine import driver_errors, fetch
from checker.errors import ConfigurationError, Unavailable
from checker.node.runtime import open_node
from checker.node.upkeep import keep_current
from checker.registry.schema import deployment
from tests.support.registry_grounds import (
    ENVIRON,
    check_of,
    decide,
    outcome_of,
    person_listing,
    publish,
    resident_id,
)

pytestmark = pytest.mark.anyio

OTHER_KEYS = ENVIRON | {"CHECKER_TOKEN_KEY": base64.b64encode(bytes(32)).decode()}


@asynccontextmanager
async def unreachable(config, tmp_path, which):
    """A node whose store of that name is away, until its folder is put in place."""
    urls = {
        "database_url": f"postgresql://postgres@/postgres?host={tmp_path}",
        "redis_url": f"unix://{tmp_path}/redis.sock",
    }
    gone = msgspec.structs.replace(config, **{which: urls[which]})
    async with open_node(gone, ENVIRON) as node:
        yield node


@pytest.mark.parametrize("which", ["database_url", "redis_url"])
async def test_a_node_opens_whichever_store_is_away_and_goes_on_without_it(config, tmp_path, which):
    async with unreachable(config, tmp_path, which) as node:
        await node.joining.begin()
        assert node.joining.has_joined == (which == "redis_url")


async def test_a_node_without_postgresql_knows_no_key_and_can_sign_nothing(config, tmp_path):
    async with (
        unreachable(config, tmp_path, "database_url") as node,
        keep_current(node, publish=False),
    ):
        with pytest.raises(Unavailable):
            await node.key_ring.caller(f"Bearer {PREFIX}{'a' * 43}")
        with pytest.raises(Unavailable):
            node.receipt_keys.signing()


async def test_a_node_that_has_not_joined_makes_no_connection_to_postgresql(node, config):
    await publish(node, [person_listing(1)])
    async with open_node(config, ENVIRON) as other:
        for engine in (other.engine, other.work_engine):
            with pytest.raises(Unavailable, match="not been reached yet"), driver_errors():
                await fetch(engine, deployment.select())
        await other.joining.join()
        assert await outcome_of(other, 1) == "deny"


async def test_a_database_of_another_deployment_that_comes_back_is_never_used(node, config):
    await publish(node, [person_listing(1)])
    async with open_node(config, OTHER_KEYS) as stranger:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="another token key"):
                await stranger.joining.join_registry()
        with pytest.raises(Unavailable):
            await decide(stranger, check_of(resident_id(1)))


async def test_a_redis_that_comes_back_and_may_evict_is_not_used_until_it_is_mended(
    node, config, redis_client
):
    await publish(node, [person_listing(1)])
    async with open_node(config, ENVIRON) as other:
        redis_client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            await other.joining.join_registry()
            with pytest.raises(ConfigurationError, match="maxmemory-policy"):
                await other.joining.verify_cache()
            with pytest.raises(CacheUnavailable):
                await other.cache.current()
            assert await outcome_of(other, 1) == "deny"
        finally:
            redis_client.config_set("maxmemory-policy", "noeviction")
        await other.joining.verify_cache()
        assert await other.cache.current() is not None
