"""Servers in processes of their own, with a key for each role, and clients for them.

The servers end with the last test of this package, because a server takes a tenth of a processor
even when nobody asks.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from checker.accounts.keys import MAY
from checker.api.operation import KeyUse, Operation
from tests.support.contract_service import contract_service
from tests.support.running_service import RunningService
from tests.support.town import TOWN, Line, ndjson

PutSnapshot = Callable[..., dict[str, Any]]


@pytest.fixture(scope="package")
def service() -> Iterator[RunningService]:
    """The server that every test of the group shares; each module puts the list that it needs."""
    with contract_service() as running:
        yield running


@pytest.fixture(scope="package")
def institution(service: RunningService) -> Iterator[httpx.Client]:
    with service.client(service.keys["institution"]) as client:
        yield client


@pytest.fixture(scope="package")
def court(service: RunningService) -> Iterator[httpx.Client]:
    with service.client(service.keys["court"]) as client:
        yield client


@pytest.fixture(scope="package")
def operator(service: RunningService) -> Iterator[httpx.Client]:
    with service.client(service.keys["operator"]) as client:
        yield client


@pytest.fixture(scope="package")
def anyone(service: RunningService) -> Iterator[httpx.Client]:
    """A client without a key."""
    with service.client() as client:
        yield client


@pytest.fixture(scope="package")
def clients(service: RunningService) -> Iterator[dict[str, httpx.Client]]:
    """A client with the key of each role."""
    opened = {role.value: service.client(service.keys[role.value]) for role in MAY}
    yield opened
    for client in opened.values():
        client.close()


@pytest.fixture
def client(
    clients: dict[str, httpx.Client], anyone: httpx.Client, operation: Operation
) -> httpx.Client:
    """A client that may call the operation."""
    if operation.key is KeyUse.NONE:
        return anyone
    return next(clients[role.value] for role, may in MAY.items() if may & operation.may)


@pytest.fixture(scope="package")
def put_snapshot(court: httpx.Client) -> PutSnapshot:
    """Put lines in force as the whole list, however few they are; gives the report."""

    def put(lines: list[Line] | bytes, **parameters: str) -> dict[str, Any]:
        body = lines if isinstance(lines, bytes) else ndjson(lines)
        meant = {"allow_shrink": "true"} | parameters
        response = court.put("/v1/feed/snapshot", content=body, params=meant)
        assert response.status_code == 200, response.text
        report: dict[str, Any] = response.json()
        return report

    return put


@pytest.fixture(scope="module")
def town(put_snapshot: PutSnapshot) -> dict[str, Any]:
    """The shared list, in force for a module; gives its report."""
    return put_snapshot(list(TOWN))
