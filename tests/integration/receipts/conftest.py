"""Two nodes of one deployment, and a database that may be lost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.receipts.receipt_grounds import Node, open_node


@pytest.fixture
async def node(anyio_backend: str, database_url: str) -> AsyncIterator[Node]:
    async with open_node(database_url) as opened:
        await opened.keys.refresh()
        yield opened


@pytest.fixture
async def other(anyio_backend: str, node: Node, database_url: str) -> AsyncIterator[Node]:
    """A second node of the same deployment."""
    async with open_node(database_url) as opened:
        await opened.keys.refresh()
        yield opened


@pytest.fixture
def lost_database_url(postgres_server: Any) -> str:
    """A database that the test drops itself."""
    return str(postgres_server.create())
