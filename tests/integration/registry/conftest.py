"""A node on an empty database and an empty Redis, for one test alone."""

import pytest
import redis

from cache.lease import SETTLED_S
from tests.support.fake_clock import FakeClock
from tests.support.registry_grounds import config_of, serving, settle_nodes


@pytest.fixture
def empty_redis_url(redis_url):
    """The URL of an empty Redis that has run for long: no node but those on its list may answer."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        settle_nodes(client, ago_s=2 * SETTLED_S)
    return redis_url


@pytest.fixture
def config(tmp_path, database_url, empty_redis_url):
    return config_of(tmp_path, database_url, empty_redis_url)


@pytest.fixture
def clock():
    """The clock of both nodes, which stands until a test moves it."""
    return FakeClock()


@pytest.fixture
async def node(anyio_backend, config, clock):
    """A node that serves: its replica follows the list, and it publishes."""
    async with serving(config, clock) as runtime:
        yield runtime


@pytest.fixture
async def other_node(anyio_backend, config, clock):
    """A second process of the same deployment."""
    async with serving(config, clock) as runtime:
        yield runtime


@pytest.fixture
def redis_client(empty_redis_url):
    with redis.Redis.from_url(empty_redis_url) as client:
        yield client
