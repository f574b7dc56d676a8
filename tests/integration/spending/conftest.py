"""The town, over each of the two stores."""

import pytest

from tests.integration.spending.memory_town import MemoryTown
from tests.integration.spending.postgres_town import postgres_town


@pytest.fixture(params=["memory", "postgres"])
def record_url(request):
    """Where the record is; None: in memory."""
    return None if request.param == "memory" else request.getfixturevalue("database_url")


@pytest.fixture
async def town(anyio_backend, record_url):
    if record_url is None:
        yield MemoryTown()
        return
    async with postgres_town(record_url) as town:
        yield town


@pytest.fixture
async def record(anyio_backend, database_url):
    """The town on PostgreSQL alone."""
    async with postgres_town(database_url) as town:
        yield town


@pytest.fixture
def merchants(town):
    return town.merchants()


@pytest.fixture
def clock(town):
    return town.clock
