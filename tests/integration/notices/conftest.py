"""A node on an empty database and an empty Redis, whose notices are stepped by hand."""

import msgspec
import pytest
import redis

from cache.lease import SETTLED_S
from checker.config import NoticeSettings
from tests.integration.notices.notice_grounds import Town, quiet_node
from tests.support.fake_clock import FakeClock
from tests.support.registry_grounds import config_of, settle_nodes

ANYWHERE = NoticeSettings(allow_http=True, allow_private_addresses=True)


@pytest.fixture
def clock():
    """The clock of the node, which stands until a test moves it."""
    return FakeClock()


@pytest.fixture
def config(tmp_path, database_url, redis_url):
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        settle_nodes(client, ago_s=2 * SETTLED_S)
    found = config_of(tmp_path, database_url, redis_url)
    return msgspec.structs.replace(found, notices=ANYWHERE)


@pytest.fixture
async def node(anyio_backend, config, clock):
    """A node that publishes, but tells of nothing by itself."""
    async with quiet_node(config, clock) as runtime:
        yield runtime


@pytest.fixture
async def town(node, clock):
    return Town(node, clock)
