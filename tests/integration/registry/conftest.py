"""A node on an empty database and an empty Redis, for one test alone."""

import pytest
import redis
from registry_grounds import AT, ENVIRON, FixedClock, config_of

from checker.runtime import open_runtime


@pytest.fixture
def empty_redis_url(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture
def config(tmp_path, database_url, empty_redis_url):
    return config_of(tmp_path, database_url, empty_redis_url)


@pytest.fixture
async def node(anyio_backend, config):
    async with open_runtime(config, ENVIRON, clock=FixedClock(AT)) as runtime:
        yield runtime


@pytest.fixture
async def other_node(anyio_backend, config):
    """A second process of the same deployment."""
    async with open_runtime(config, ENVIRON, clock=FixedClock(AT)) as runtime:
        yield runtime


@pytest.fixture
def redis_client(empty_redis_url):
    with redis.Redis.from_url(empty_redis_url) as client:
        yield client
