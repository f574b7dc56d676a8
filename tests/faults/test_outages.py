"""The table of outages, observed: who is answered what, and in which time."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress

import httpx
import pytest

from tests.faults.every_address import requests_that_read, requests_that_write
from tests.faults.faulty_service import (
    ASKED,
    RIGHT,
    frozen,
    in_force,
    is_ready,
    outcomes,
    publisher_of,
    readiness,
)
from tests.faults.outage_load import Callers, Column, Late, words
from tests.faults.outages_table import PAGE, WRITE_VARIABLE, page_of, read_rows, write_row
from tests.faults.own_stores import OwnStores, own_stores
from tests.support.asking import FLIGHT, problem, question
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    RunningService,
    running_service,
    wait_until,
)
from tests.support.town import DEBTOR, INNOCENT

pytestmark = pytest.mark.xdist_group("more faults")

Stand = tuple[OwnStores, RunningService]


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """Two workers on stores of the test, with the town's list in force."""
    with (
        private_folder() as folder,
        own_stores(folder) as stores,
        running_service(
            folder, "serve", "--workers", "2", settings=OUTAGE_SETTINGS, named=stores.environ
        ) as service,
    ):
        in_force(service)
        yield stores, service


SITUATIONS: dict[str, Callable[[Stand], AbstractContextManager[None]]] = {
    "nothing": lambda _stand: nullcontext(),
    "Redis, frozen": lambda stand: frozen(*stand[0].redis()),
    "the publishing process, frozen": lambda stand: frozen(publisher_of(stand[1])),
    "PostgreSQL, frozen": lambda stand: frozen(*stand[0].postgres()),
    "PostgreSQL and Redis, frozen": lambda stand: frozen(*stand[0].redis(), *stand[0].postgres()),
    "PostgreSQL, full": lambda stand: stand[0].postgres_full(),
    "PostgreSQL, read-only": lambda stand: stand[0].postgres_read_only(),
    "PostgreSQL's connections, used up by somebody else": lambda stand: stand[
        0
    ].connections_used_up(),
    "PostgreSQL, dead": lambda stand: stand[0].postgres_dead(),
}
"""In this order, because nothing starts a dead PostgreSQL again."""

LAST = "PostgreSQL, dead"
TRIES_MAX = 3


@pytest.mark.parametrize("name", ["PostgreSQL, full", "PostgreSQL, read-only"])
def test_nothing_is_answered_500_by_a_registry_that_takes_no_writes(
    stand: Stand, name: str
) -> None:
    _, service = stand
    writes = requests_that_write(service)
    reads = requests_that_read(service)
    with ExitStack() as stack:
        clients = {
            role: stack.enter_context(service.client(key)) for role, key in service.keys.items()
        }
        stack.enter_context(SITUATIONS[name](stand))
        wait_until(lambda: _refuses(clients["institution"]))
        for role, method, path, more in writes:
            refused = clients[role].request(method, path, **more)
            problem(refused, 503, "unavailable")
            assert int(refused.headers["retry-after"]) > 0, path
        for role, method, path, more in reads:
            answered = clients[role].request(method, path, **more)
            assert answered.status_code in {200, 400, 403, 404, 503}, path
    wait_until(lambda: is_whole(service))
    assert outcomes(service) == RIGHT


def _refuses(client: httpx.Client) -> bool:
    """Whether PostgreSQL has heard by now that it takes no writes."""
    return client.post("/v1/checks", json=question(DEBTOR, FLIGHT)).status_code == 503


@pytest.mark.parametrize("name", SITUATIONS)
def test_callers_see_what_the_table_says(stand: Stand, name: str) -> None:
    service = stand[1]
    seen = observed(stand, name)
    if os.environ.get(WRITE_VARIABLE):
        write_row(name, seen, [*SITUATIONS])
    assert seen == read_rows()[name]
    if name != LAST:
        wait_until(lambda: is_whole(service))
        assert outcomes(service) == RIGHT
        return
    assert httpx.get(f"{service.url}/healthz").json() == {"status": "ok"}
    with service.client(service.keys["institution"]) as client:
        body = {"checks": [question(number, FLIGHT) for number in (INNOCENT, DEBTOR)]}
        problem(client.post("/v1/checks/batch", json=body), 503, "unavailable")


def observed(stand: Stand, name: str) -> dict[Column, str]:
    """See the situation; once more where an answer was late, for this machine may have stood still.

    A time-out that is waited for is late each time. A wrong answer is never seen again.
    """
    for _ in range(1 if name == LAST else TRIES_MAX - 1):
        with suppress(Late):
            return words(Callers(stand[1]).see(SITUATIONS[name](stand)))
        wait_until(lambda: is_whole(stand[1]))
    return words(Callers(stand[1]).see(SITUATIONS[name](stand)))


def test_the_page_is_the_one_that_the_rows_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(read_rows(), [*SITUATIONS])


def is_whole(service: RunningService) -> bool:
    """Whether every worker is ready again."""
    return is_ready(service) and all(readiness(service) == "ready" for _ in range(ASKED))
