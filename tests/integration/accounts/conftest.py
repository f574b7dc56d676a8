"""A deployment's accounts on real PostgreSQL."""

import pytest

from tests.integration.accounts.access_grounds import Access
from tests.support.token_keys import open_registry


@pytest.fixture
async def access(anyio_backend, database_url):
    async with open_registry(database_url) as engine, open_registry(database_url) as node_engine:
        yield Access(engine, node_engine)
