"""A deployment of two nodes on an empty database and an empty Redis."""

import pytest
import redis

from tests.integration.simulation.two_nodes import TwoNodes
from tests.support.fake_clock import FakeClock


@pytest.fixture
def nodes_of(tmp_path, database_url, redis_url):
    """Give the two nodes, not yet open, and their clock, which begins at an instant."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

    def made(instant):
        clock = FakeClock(instant)
        return TwoNodes(tmp_path, database_url, redis_url, clock), clock

    return made
