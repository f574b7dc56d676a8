"""One suite over both stores."""

import pytest

from tests.integration.cache.cache_grounds import MemoryGround, RedisGround


@pytest.fixture
def redis_ground(redis_url):
    ground = RedisGround(redis_url)
    yield ground
    ground.client.close()


@pytest.fixture(params=["memory", "redis"])
def ground(request):
    if request.param == "memory":
        return MemoryGround()
    return request.getfixturevalue("redis_ground")


@pytest.fixture
async def store(ground, anyio_backend):
    store = ground.store()
    yield store
    await store.aclose()
