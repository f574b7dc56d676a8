"""Senders of the feed that stop, give up and send again: never does one of them hold up another.

The senders speak HTTP by hand: a client library would finish its bodies.
"""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

import httpx
import psutil
import pytest

from tests.faults.faulty_service import WORKERS, apply, frozen, outcomes, worker_that_answered
from tests.support.asking import FLIGHT, ask, problem
from tests.support.running_service import RunningService, wait_until
from tests.support.town import INNOCENT, TOWN, document, listing, ndjson, person

pytestmark = pytest.mark.xdist_group("faults")

PROMPT_S = 5.0
"""A change takes some 20 ms; the rest is for a busy machine. A stuck feed took for ever."""
LISTED = listing("overtaken", person("吴清白", document(INNOCENT)))
LIST = ndjson([{"op": "list", "listing": LISTED}])
DELIST = {"op": "delist", "listing_id": "overtaken", "ground": "corrected", "on": "2026-01-01"}


def head(service: RunningService, address: str, size: int, *more: str) -> bytes:
    lines = (
        f"{address} HTTP/1.1",
        f"host: {service.address[0]}",
        f"authorization: Bearer {service.keys['court']}",
        f"content-length: {size}",
        *more,
    )
    return "\r\n".join((*lines, "", "")).encode()


@contextmanager
def silent_uploads(service: RunningService, count: int) -> Iterator[list[socket.socket]]:
    """Senders of a whole list that stop in the middle of its second line."""
    body = ndjson(TOWN)
    with ExitStack() as stack:
        senders = []
        for _ in range(count):
            sender = stack.enter_context(socket.create_connection(service.address, 10))
            sender.sendall(head(service, "PUT /v1/feed/snapshot", len(body)) + body[:-10])
            senders.append(sender)
        yield senders


@contextmanager
def courts_of_each_worker(service: RunningService) -> Iterator[dict[psutil.Process, httpx.Client]]:
    found: dict[psutil.Process, httpx.Client] = {}
    with ExitStack() as clients:

        def is_met() -> bool:
            client = clients.enter_context(service.client(service.keys["court"]))
            found.setdefault(worker_that_answered(service, client.get("/healthz")), client)
            return len(found) == WORKERS

        wait_until(is_met)
        yield found


def is_free(service: RunningService) -> bool:
    with service.client(service.keys["institution"]) as client:
        return bool(ask(client, INNOCENT, FLIGHT)["decision"] == "allow")


@pytest.mark.parametrize("count", [8 * WORKERS, 100])
def test_silent_uploads_keep_no_change_and_no_list_waiting(
    service: RunningService, count: int
) -> None:
    with silent_uploads(service, count), courts_of_each_worker(service) as courts:
        for court in courts.values():
            began = monotonic()
            apply(court, {"op": "list", "listing": LISTED})
            apply(court, DELIST)
            assert court.put("/v1/feed/snapshot", content=ndjson(TOWN)).status_code == 200
            assert monotonic() - began < 3 * PROMPT_S
    assert is_free(service)


def test_what_stopped_in_the_middle_is_cut_and_changes_nothing(service: RunningService) -> None:
    with silent_uploads(service, 1) as [sender]:
        sender.settimeout(60)
        assert sender.recv(4096).startswith(b"HTTP/1.1 408")
    assert outcomes(service) == [("allow", "deny")] * 8


@contextmanager
def order_in_doubt(
    service: RunningService, courts: dict[psutil.Process, httpx.Client], *headers: str
) -> Iterator[socket.socket]:
    """An order to list somebody that waits in a frozen worker, on a connection it has accepted."""
    slept = next(iter(courts))
    stream = courts[slept].get("/healthz").extensions["network_stream"]
    sender: socket.socket = stream.get_extra_info("socket")
    with frozen(slept):
        sender.sendall(head(service, "POST /v1/feed/changes", len(LIST), *headers) + LIST)
        yield sender


def test_an_order_that_its_sender_gave_up_in_a_frozen_worker_is_not_begun(
    service: RunningService,
) -> None:
    with courts_of_each_worker(service) as courts, courts_of_each_worker(service) as others:
        slept, awake = courts
        with order_in_doubt(service, courts) as sender:
            sender.shutdown(socket.SHUT_RDWR)
            apply(courts[awake], {"op": "list", "listing": LISTED})
            apply(courts[awake], DELIST)
            version = courts[awake].post("/v1/feed/changes").json()["version"]
        # The worker that slept has the order behind it when it answers this.
        assert others[slept].post("/v1/feed/changes").json()["version"] == version
    assert is_free(service)


def test_an_order_with_a_key_that_was_sent_again_elsewhere_is_done_once(
    service: RunningService,
) -> None:
    key = f"order in doubt {monotonic()}"
    with courts_of_each_worker(service) as courts:
        _, awake = courts
        with order_in_doubt(service, courts, f"Idempotency-Key: {key}") as sender:
            headers = {"Idempotency-Key": key}
            again = courts[awake].post("/v1/feed/changes", content=LIST, headers=headers)
            assert (again.status_code, again.json()["accepted"]) == (200, 1)
            apply(courts[awake], DELIST)
        # The head and the body may come in two pieces.
        with http.client.HTTPResponse(sender) as answer:
            answer.begin()
            assert (answer.status, answer.read()) == (200, again.content)
    assert is_free(service)


def test_an_order_for_a_version_that_has_moved_on_is_not_begun(service: RunningService) -> None:
    with courts_of_each_worker(service) as courts:
        _, awake = courts
        version = courts[awake].put("/v1/feed/snapshot", content=ndjson(TOWN)).json()["version"]
        match = f'"{version}"'
        with order_in_doubt(service, courts, f"If-Match: {match}") as sender:
            headers = {"If-Match": match}
            again = courts[awake].post("/v1/feed/changes", content=LIST, headers=headers)
            assert (again.status_code, again.json()["accepted"]) == (200, 1)
            apply(courts[awake], DELIST)
        assert sender.recv(65536).startswith(b"HTTP/1.1 412")
        late = courts[awake].post("/v1/feed/changes", content=LIST, headers=headers)
        problem(late, 412, "conflict")
    assert is_free(service)
