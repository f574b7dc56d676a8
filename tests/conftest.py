"""Fixtures every kind of test shares."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, the loop that the service uses."""
    return "asyncio"
