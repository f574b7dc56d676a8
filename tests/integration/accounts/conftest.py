"""A deployment's accounts on real PostgreSQL."""

import pytest

from checker.database.engine import open_engine
from tests.integration.accounts.access_grounds import Access


@pytest.fixture
async def access(anyio_backend, database_url):
    async with open_engine(database_url) as engine, open_engine(database_url) as node_engine:
        yield Access(engine, node_engine)
