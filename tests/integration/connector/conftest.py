"""A source, and somebody who follows it, for one test alone."""

import pytest

from tests.integration.connector.following_grounds import Follower, quick_client
from tests.integration.connector.source_server import running_source
from tests.support.token_keys import open_registry


@pytest.fixture
async def server(anyio_backend):
    async with running_source() as running:
        yield running


@pytest.fixture
async def other_server(anyio_backend):
    async with running_source() as running:
        yield running


@pytest.fixture
async def follower(anyio_backend, database_url, tmp_path):
    async with open_registry(database_url, timeout_s=None) as engine, quick_client() as client:
        yield Follower(engine, client, tmp_path)
