"""What befalls a server that runs, and what its callers see of it: never a wrong answer.

Two workers on embedded stores. Each test leaves the server whole again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from asking import FLIGHT, ask, problem, question
from redis import Redis
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
DEBTORS_LISTING = "1"


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
    spawned = {child.pid for child in children if "spawn_main" in " ".join(words_of(child))}
    return spawned - {publisher_of(service).pid}


def publisher_of(service: RunningService) -> psutil.Process:
    """The process that brings changes to Redis: the only one spawned that listens nowhere."""
    found: list[psutil.Process] = []

    def is_found() -> bool:
        children = psutil.Process(service.pid).children(recursive=True)
        spawned = [child for child in children if "spawn_main" in " ".join(words_of(child))]
        found[:] = [child for child in spawned if not listens(child)]
        return len(found) == 1 and len(spawned) > 1

    wait_until(is_found)
    return found[0]


def listens(process: psutil.Process) -> bool:
    try:
        held = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN for each in held)


def change(service: RunningService, line: dict[str, Any]) -> None:
    with service.client(service.keys["court"]) as court:
        report = court.post("/v1/feed/changes", content=ndjson([line])).json()
    assert (report["accepted"], report["rejected"]) == (1, [])


def is_answered(client: httpx.Client, number: str) -> bool:
    return client.post("/v1/checks", json=question(number, FLIGHT)).is_success


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


def test_with_both_stores_away_nobody_is_allowed_for_longer_than_a_lease(
    service: RunningService,
) -> None:
    with (
        frozen(redis_of(service), *postgres_of(service)),
        service.client(service.keys["institution"]) as client,
    ):
        wait_until(lambda: not is_answered(client, INNOCENT))
        for number in (INNOCENT, DEBTOR):
            refused = client.post("/v1/checks", json=question(number, FLIGHT))
            problem(refused, 503, "unavailable")
            assert int(refused.headers["retry-after"]) > 0
    wait_until(lambda: tells_debtors(service))
    assert outcomes(service) == RIGHT


def test_without_the_registry_nobody_is_allowed_for_longer_than_a_lease(
    service: RunningService,
) -> None:
    with (
        frozen(*postgres_of(service)),
        service.client(service.keys["institution"]) as client,
    ):
        wait_until(lambda: not is_answered(client, INNOCENT))
        problem(client.post("/v1/checks", json=question(DEBTOR, FLIGHT)), 503, "unavailable")
    wait_until(lambda: tells_debtors(service))
    assert outcomes(service) == RIGHT


def test_changes_are_in_force_while_redis_is_frozen(service: RunningService) -> None:
    with frozen(redis_of(service)):
        for operation, expected in (("shield", "allow"), ("unshield", "deny")):
            change(service, {"op": operation, "listing_id": DEBTORS_LISTING})
            assert outcomes(service) == [("allow", expected)] * ASKED
    wait_until(lambda: is_ready(service))
    assert outcomes(service) == RIGHT


def test_a_redis_that_lost_everything_is_filled_again(service: RunningService) -> None:
    socket = service.data_dir / "redis" / "redis.sock"
    with Redis(unix_socket_path=str(socket)) as client:
        client.flushall()
    assert outcomes(service) == RIGHT
    wait_until(lambda: is_ready(service))
    change(service, {"op": "shield", "listing_id": DEBTORS_LISTING})
    assert outcomes(service) == [("allow", "allow")] * ASKED
    change(service, {"op": "unshield", "listing_id": DEBTORS_LISTING})
    assert outcomes(service) == RIGHT


def test_a_publishing_process_that_was_killed_or_frozen_is_replaced(
    service: RunningService,
) -> None:
    for _ in range(2):
        publisher_of(service).kill()
        change(service, {"op": "shield", "listing_id": DEBTORS_LISTING})
        assert outcomes(service) == [("allow", "allow")] * ASKED
        change(service, {"op": "unshield", "listing_id": DEBTORS_LISTING})
        assert outcomes(service) == RIGHT
        wait_until(lambda: is_ready(service))
    with frozen(publisher_of(service)):
        change(service, {"op": "shield", "listing_id": DEBTORS_LISTING})
        assert outcomes(service) == [("allow", "allow")] * ASKED
    change(service, {"op": "unshield", "listing_id": DEBTORS_LISTING})
    assert outcomes(service) == RIGHT


def test_a_worker_that_was_killed_is_replaced(service: RunningService) -> None:
    before = workers_of(service)
    assert len(before) == WORKERS
    psutil.Process(min(before)).kill()
    wait_until(lambda: len(workers_of(service) - {min(before)}) == WORKERS)
    wait_until(lambda: is_ready(service))


def test_without_redis_the_registry_answers_and_a_new_list_is_in_force() -> None:
    with private_folder() as folder, running_service(folder) as service:
        in_force(service)
        redis = redis_of(service)
        redis.kill()
        psutil.wait_procs([redis], timeout=PATIENCE_S)
        assert outcomes(service) == RIGHT
        assert put(service, ndjson(TOWN[1:])).status_code == 200
        assert outcomes(service) == [("allow", "allow")] * ASKED
        change(service, {"op": "list", "listing": TOWN[0]})
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
