"""What befalls a server that runs, and what its callers see of it: never a wrong answer.

Two workers on embedded stores. Each test leaves the server whole again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest
from asking import FLIGHT, ask, problem, question
from running_service import (
    LOOK_S,
    PATIENCE_S,
    RunningService,
    private_folder,
    processes_of,
    running_service,
    words_of,
)
from town import DEBTOR, INNOCENT, TOWN, ndjson

pytestmark = pytest.mark.xdist_group("faults")

WORKERS = 2
ASKED = 8


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with (
        private_folder() as folder,
        running_service(folder, "serve", "--workers", str(WORKERS)) as running,
    ):
        in_force(running)
        yield running


def in_force(service: RunningService) -> None:
    """Make keys, and put the town's list in force."""
    service.make_keys({role: ("--role", role) for role in ("institution", "court")})
    assert put(service, ndjson(TOWN)).json()["accepted"] == len(TOWN)


def put(service: RunningService, lines: bytes) -> httpx.Response:
    with service.client(service.keys["court"]) as court:
        return court.put("/v1/feed/snapshot", content=lines)


def outcomes(service: RunningService) -> list[tuple[str, str]]:
    """An innocent and a debtor, several times, each on a connection that any worker may take."""
    seen = []
    for _ in range(ASKED):
        with service.client(service.keys["institution"]) as client:
            told = [ask(client, number, FLIGHT)["decision"] for number in (INNOCENT, DEBTOR)]
        seen.append((told[0], told[1]))
    return seen


RIGHT = [("allow", "deny")] * ASKED


def redis_of(service: RunningService) -> psutil.Process:
    [redis] = [
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if "redis-server" in " ".join(process.info["cmdline"] or [])
        and process.info["cwd"] == str(service.data_dir / "redis")
    ]
    return redis


def postgres_of(service: RunningService) -> list[psutil.Process]:
    """The server and all that serve connections."""
    found = [one for one in processes_of(service.data_dir) if "postgres" in words_of(one)[0]]
    return [*found, *(child for one in found for child in one.children(recursive=True))]


def workers_of(service: RunningService) -> set[int]:
    children = psutil.Process(service.pid).children(recursive=True)
    return {child.pid for child in children if "spawn_main" in " ".join(words_of(child))}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process().wait(LOOK_S)


def is_ready(service: RunningService) -> bool:
    try:
        return httpx.get(f"{service.url}/readyz").json().get("status") == "ready"
    except httpx.TransportError:
        return False


def tells_debtors(service: RunningService) -> bool:
    """Whether no worker waits any more before it asks the registry again."""
    asked = question(DEBTOR, FLIGHT)
    for _ in range(ASKED):
        with service.client(service.keys["institution"]) as client:
            if not client.post("/v1/checks", json=asked).is_success:
                return False
    return True


@contextmanager
def frozen(*processes: psutil.Process) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def test_behind_a_frozen_redis_the_registry_answers(service: RunningService) -> None:
    with frozen(redis_of(service)):
        assert outcomes(service) == RIGHT
        assert httpx.get(f"{service.url}/readyz").json()["status"] == "degraded"
    wait_until(lambda: is_ready(service))
    assert outcomes(service) == RIGHT


def test_with_both_stores_away_nobody_is_allowed(service: RunningService) -> None:
    with (
        frozen(redis_of(service), *postgres_of(service)),
        service.client(service.keys["institution"]) as client,
    ):
        for number in (INNOCENT, DEBTOR):
            refused = client.post("/v1/checks", json=question(number, FLIGHT))
            problem(refused, 503, "unavailable")
            assert int(refused.headers["retry-after"]) > 0
    wait_until(lambda: tells_debtors(service))
    assert outcomes(service) == RIGHT


def test_a_worker_that_was_killed_is_replaced(service: RunningService) -> None:
    before = workers_of(service)
    assert len(before) == WORKERS
    psutil.Process(min(before)).kill()
    wait_until(lambda: len(workers_of(service) - {min(before)}) == WORKERS)
    wait_until(lambda: is_ready(service))


def test_without_redis_the_registry_answers_and_no_new_list_is_acknowledged() -> None:
    with private_folder() as folder, running_service(folder) as service:
        in_force(service)
        redis = redis_of(service)
        redis.kill()
        psutil.wait_procs([redis], timeout=PATIENCE_S)
        assert outcomes(service) == RIGHT
        refused = put(service, ndjson(TOWN[1:]))
        assert problem(refused, 503, "unavailable")["detail"].endswith("send it again")
        assert int(refused.headers["retry-after"]) > 0
        assert outcomes(service) == RIGHT


def test_workers_end_with_a_main_process_that_was_killed_and_the_next_start_answers() -> None:
    with private_folder() as folder, running_service(folder) as killed:
        in_force(killed)
        workers = [psutil.Process(pid) for pid in workers_of(killed)]
        psutil.Process(killed.pid).kill()
        assert psutil.wait_procs(workers, timeout=PATIENCE_S)[1] == []
        left = {process.pid for process in postgres_of(killed)}
        assert left
        with running_service(folder) as next_start:
            next_start.keys = killed.keys
            assert outcomes(next_start) == RIGHT
            assert left & {process.pid for process in postgres_of(next_start)}
        assert not processes_of(killed.data_dir)
