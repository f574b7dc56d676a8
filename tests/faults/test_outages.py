"""The table of outages, observed: who is answered what, and in which time."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from faulty_service import (
    ASKED,
    RIGHT,
    frozen,
    in_force,
    is_ready,
    outcomes,
    publisher_of,
    readiness,
)
from outage_load import Callers, words
from outages_table import PAGE, WRITE_VARIABLE, page_of, read_rows, write_row
from own_stores import OwnStores, own_stores
from private_folder import private_folder
from running_service import SETTINGS, RunningService, running_service, wait_until

pytestmark = pytest.mark.xdist_group("faults")

Stand = tuple[OwnStores, RunningService]


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """Two workers on stores of the test, with the town's list in force."""
    with (
        private_folder() as folder,
        own_stores(folder) as stores,
        running_service(
            folder, "serve", "--workers", "2", settings=SETTINGS, environ=stores.environ
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


@pytest.mark.parametrize("name", SITUATIONS)
def test_callers_see_what_the_table_says(stand: Stand, name: str) -> None:
    service = stand[1]
    seen = words(Callers(service).see(SITUATIONS[name](stand)))
    if os.environ.get(WRITE_VARIABLE):
        write_row(name, seen, [*SITUATIONS])
    assert seen == read_rows()[name]
    if name != LAST:
        wait_until(lambda: is_whole(service))
        assert outcomes(service) == RIGHT


def test_the_page_is_the_one_that_the_rows_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(read_rows(), [*SITUATIONS])


def is_whole(service: RunningService) -> bool:
    """Whether every worker is ready again."""
    return is_ready(service) and all(readiness(service) == "ready" for _ in range(ASKED))
