"""A server whose processes are killed or frozen never gives a wrong answer."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil
import pytest

from tests.faults.faulty_service import (
    ASKED,
    RIGHT,
    WORKERS,
    all_nodes_are_told,
    apply,
    change,
    frozen,
    in_force,
    is_ready,
    outcomes,
    postgres_of,
    redis_of,
    shield,
    worker_that_answered,
    workers_of,
)
from tests.support.asking import FLIGHT, ask, question
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    PATIENCE_S,
    RunningService,
    processes_of,
    running_service,
    wait_until,
)
from tests.support.town import DEBTOR, INNOCENT, document, listing, person

pytestmark = pytest.mark.xdist_group("faults")

FREED = [("allow", "allow")] * ASKED


def postmaster_of(service: RunningService) -> psutil.Process:
    return postgres_of(service)[0]


@pytest.mark.parametrize("find", [redis_of, postmaster_of])
def test_an_embedded_server_that_dies_is_started_again(
    service: RunningService, find: Callable[[RunningService], psutil.Process]
) -> None:
    killed = find(service)
    killed.kill()
    killed.wait()
    wait_until(lambda: is_ready(service))
    assert find(service).pid != killed.pid
    assert outcomes(service) == RIGHT
    change(service, shield())
    change(service, shield("unshield"))
    assert outcomes(service) == RIGHT


@contextmanager
def one_client_of_each(
    service: RunningService, key: str
) -> Iterator[dict[psutil.Process, httpx.Client]]:
    """Clients whose connections are open, each to another worker."""
    found: dict[psutil.Process, httpx.Client] = {}
    with ExitStack() as clients:

        def is_met() -> bool:
            client = clients.enter_context(service.client(service.keys[key]))
            worker = worker_that_answered(service, client.get("/healthz"))
            found.setdefault(worker, client)
            return len(found) == WORKERS

        wait_until(is_met)
        yield found


def test_a_worker_that_was_frozen_answers_nothing_of_before(service: RunningService) -> None:
    with (
        one_client_of_each(service, "institution") as asking,
        one_client_of_each(service, "court") as courts,
    ):
        slept, awake = asking
        assert ask(asking[slept], INNOCENT, FLIGHT)["decision"] == "allow"
        with frozen(slept):
            listed = listing("frozen", person("吴清白", document(INNOCENT)))
            apply(courts[awake], {"op": "list", "listing": listed}, shield())
            assert ask(asking[awake], INNOCENT, FLIGHT)["decision"] == "deny"
        # The first that is asked of it, on the connection that it had before.
        answers = [
            asking[slept].post("/v1/checks", json=question(number, FLIGHT))
            for number in (INNOCENT, DEBTOR)
        ]
        assert worker_that_answered(service, answers[0]) == slept
        assert [each.json()["decision"] for each in answers] == ["deny", "allow"]
        ended = {"op": "delist", "listing_id": "frozen", "ground": "corrected"}
        apply(courts[slept], ended, shield("unshield"))
    assert outcomes(service) == RIGHT
    wait_until(lambda: all_nodes_are_told(service))


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
