"""A deployment's accounts on real PostgreSQL."""

import pytest
from access_grounds import Access

from checker.database.engine import open_engine


@pytest.fixture
async def access(anyio_backend, database_url):
    async with open_engine(database_url) as engine, open_engine(database_url) as node_engine:
        yield Access(engine, node_engine)
