"""A service starts, lives and is whole again whichever of its stores are away."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from checker.accounts.keys import PREFIX
from checker.embedded import embedded_redis
from checker.embedded.postgres import embedded_postgres
from tests.faults.faulty_service import (
    RIGHT,
    WORKERS,
    in_force,
    is_ready,
    outcomes,
    workers_of,
)
from tests.support.asking import FLIGHT, problem, question
from tests.support.private_folder import private_folder
from tests.support.running_service import RunningService, running_service, wait_until
from tests.support.self_check import listed, look_up
from tests.support.town import INNOCENT

pytestmark = pytest.mark.xdist_group("faults")

ANY_KEY = f"{PREFIX}{'0' * 43}"
KILLS = 3
"""At the second, within 5.5 seconds, the whole service once ended."""


class Stores:
    """A PostgreSQL and a Redis that can be taken away and brought back, at the same address."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self._uses = {
            "DATABASE_URL": lambda: embedded_postgres(folder / "postgres"),
            "REDIS_URL": lambda: embedded_redis(folder / "redis"),
        }
        self._held = {name: held.enter_context(ExitStack()) for name in self._uses}
        self.named = {name: self.bring_back(name) for name in self._uses}

    def bring_back(self, name: str) -> str:
        return self._held[name].enter_context(self._uses[name]())

    def take_away(self, name: str) -> None:
        self._held[name].close()


@contextmanager
def stores(folder: Path) -> Iterator[Stores]:
    with ExitStack() as held:
        yield Stores(folder, held)


def kill_a_worker(service: RunningService) -> None:
    """Kill one, and wait until another has taken its place and answers."""
    before = workers_of(service)
    psutil.Process(min(before)).kill()
    wait_until(lambda: len(workers_of(service) - {min(before)}) == WORKERS)


def is_healthy(service: RunningService) -> bool:
    return httpx.get(f"{service.url}/healthz").status_code == 200


def test_a_service_starts_without_stores_and_joins_each_when_it_comes() -> None:
    with private_folder() as folder, stores(folder) as named:
        for name in named.named:
            named.take_away(name)
        with running_service(folder, "serve", named=named.named) as service:
            assert httpx.get(f"{service.url}/readyz").status_code == 503
            with service.client(ANY_KEY) as client:
                answer = client.post("/v1/checks", json=question(INNOCENT, FLIGHT))
            problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            with service.client() as visitor:
                page = look_up(visitor, "吴清白", INNOCENT)
            assert (page.status_code, listed(page)) == (503, None)
            assert int(page.headers["retry-after"]) > 0
            for name in named.named:
                named.bring_back(name)
            in_force(service)
            wait_until(lambda: is_ready(service))
            assert outcomes(service) == RIGHT


def test_workers_that_die_while_a_store_is_away_are_replaced() -> None:
    with (
        private_folder() as folder,
        stores(folder) as named,
        running_service(folder, "serve", "--workers", str(WORKERS), named=named.named) as service,
    ):
        in_force(service)
        wait_until(lambda: is_ready(service))
        named.take_away("REDIS_URL")
        kill_a_worker(service)
        assert outcomes(service) == RIGHT  # the new one by PostgreSQL
        named.bring_back("REDIS_URL")
        wait_until(lambda: is_ready(service))
        named.take_away("DATABASE_URL")
        for _ in range(KILLS):
            kill_a_worker(service)
            assert is_healthy(service)
        named.bring_back("DATABASE_URL")
        wait_until(lambda: is_ready(service))
        assert outcomes(service) == RIGHT
