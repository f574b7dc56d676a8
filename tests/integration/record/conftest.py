"""A deployment in which everything has happened once, and a copy of it for each test."""

import asyncio

import pytest
import redis

from cache.lease import SETTLED_S
from checker.database.engine import open_engine
from checker.database.token_column import give_keys
from tests.integration.record.record_grounds import Record, fill
from tests.support.fake_clock import FakeClock
from tests.support.registry_grounds import config_of, serving, settle_nodes
from tests.support.token_keys import held_keys


@pytest.fixture(scope="session")
def filled_url(tmp_path_factory, postgres_server, redis_url):
    """The URL of the database of a deployment that was used for a while, and is stopped."""
    url = postgres_server.create()
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        settle_nodes(client, ago_s=2 * SETTLED_S)
    config = config_of(tmp_path_factory.mktemp("filled"), url, redis_url)

    async def use():
        clock = FakeClock()
        async with serving(config, clock) as node:
            await fill(node, clock)

    asyncio.run(use())
    yield url
    postgres_server.drop(url)


@pytest.fixture
def copied_url(postgres_server, filled_url):
    url = postgres_server.create(copy_of=filled_url)
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def record(anyio_backend, copied_url):
    # Behind no fence: those who may do everything do so under every token key.
    async with open_engine(copied_url, timeout_s=None) as engine:
        give_keys(engine, held_keys())
        yield Record(engine)
