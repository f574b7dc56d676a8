"""The ground, for one test alone."""

import pytest

from tests.integration.audit.audit_grounds import audit_ground


@pytest.fixture
async def ground(anyio_backend, database_url):
    async with audit_ground(database_url) as made:
        yield made
