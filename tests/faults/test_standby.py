"""A standby of PostgreSQL is promoted under load, and the service follows it by itself.

`DATABASE_URL` names three servers: one that takes connections and answers nothing, the primary, and
a standby to which each commit is sent before it is acknowledged.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import httpx
import pytest
from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch, open_engine
from checker.errors import Unavailable
from tests.faults.faulty_service import (
    WORKERS,
    answered,
    change,
    in_force,
    is_ready,
    shield,
)
from tests.support.asking import FLIGHT, question
from tests.support.postgres_server import primary, standby
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    RunningService,
    run_command,
    running_service,
    wait_until,
)
from tests.support.town import DEBTOR, INNOCENT

pytestmark = pytest.mark.xdist_group("failover")


class Load:
    """Asks about the debtor and an innocent again and again, and notes what was wrong."""

    def __init__(self, service: RunningService) -> None:
        self.kept: list[str] = []
        self.wrong: list[str] = []
        self._service = service
        self._is_over = threading.Event()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        asking = threading.Thread(target=self._ask)
        asking.start()
        try:
            yield
        finally:
            self._is_over.set()
            asking.join()

    def _ask(self) -> None:
        with self._service.client(self._service.keys["institution"]) as client:
            while not self._is_over.is_set():
                for number, expected in ((DEBTOR, "deny"), (INNOCENT, "allow")):
                    self._note(client.post("/v1/checks", json=question(number, FLIGHT)), expected)

    def _note(self, response: httpx.Response, expected: str) -> None:
        if response.status_code == 503:
            return
        told = response.json()
        if response.status_code != 200 or told["decision"] != expected:
            self.wrong.append(response.text)
        elif expected == "deny":
            self.kept.append(told["id"])


def test_a_promoted_standby_has_every_answer_that_was_given_and_serves_on() -> None:
    with (
        private_folder() as folder,
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        primary(folder) as first,
        standby(first, folder, "second") as second,
    ):
        first.set(synchronous_standby_names="second")
        ports = [silent.getsockname()[1], second.port, first.port]
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in ports)
        named = {"DATABASE_URL": f"postgresql://postgres@/postgres?{hosts}"}
        with running_service(folder, "serve", "--workers", str(WORKERS), named=named) as service:
            in_force(service)
            change(service, shield(), shield("unshield"))
            wait_until(lambda: is_ready(service))
            load = Load(service)
            with load.going_on():
                wait_until(lambda: len(load.kept) > 10)
                first.kill()
                second.promote()
                before = len(load.kept)
                wait_until(lambda: len(load.kept) > before + 10)
            wait_until(lambda: is_ready(service))
            assert load.wrong == []
            with service.client(service.keys["institution"]) as client:
                for each in load.kept:
                    assert client.get(f"/v1/decisions/{each}").status_code == 200
            change(service, shield())
            assert set(answered(service, DEBTOR)) == {"allow"}
            assert set(answered(service, INNOCENT)) == {"allow"}
            proof = run_command(service.data_dir, "audit", "verify", named=named)
            assert proof.returncode == 0, proof.stdout + proof.stderr


@pytest.mark.anyio
async def test_a_standby_alone_is_never_used() -> None:
    with (
        private_folder() as folder,
        primary(folder) as first,
        standby(first, folder, "second") as second,
    ):
        for pooler_url in (None, second.url):
            async with open_engine(second.url, pooler_url=pooler_url) as engine:
                with pytest.raises(Unavailable), driver_errors():
                    await fetch(engine, select(literal(1)))
        second.promote()
        for pooler_url in (None, second.url):
            async with open_engine(second.url, pooler_url=pooler_url) as engine:
                await _until_written_to(engine)


async def _until_written_to(engine: AsyncEngine) -> None:
    """Ask until the promotion is over."""
    while True:
        with suppress(Unavailable), driver_errors():
            assert await fetch(engine, select(literal(1).label("one"))) == [{"one": 1}]
            return
