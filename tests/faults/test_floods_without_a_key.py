"""Floods of calls without a key: corrections of others are taken, feeds and checks go on."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from asking import FLIGHT, ask, problem
from faulty_service import change, in_force, shield
from private_folder import private_folder
from running_service import RunningService, running_service
from town import DEBTOR, INNOCENT

pytestmark = pytest.mark.xdist_group("faults")

CONNECTIONS = 40
FLOODER, PERSON = "127.0.0.2", "127.0.0.99"
SLOWER_MAX, SPARE_S = 3, 1.0
"""A flood of health costs nothing but sending. A page that is made for each caller costs 30 times
as much, and a change then took 2 to 8 s.
"""
FAR = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def alone() -> Iterator[RunningService]:
    """One worker with the town's list in force."""
    with private_folder() as folder, running_service(folder, "serve") as running:
        in_force(running)
        yield running


@contextmanager
def flood(service: RunningService, method: str, path: str, body: bytes | None) -> Iterator[None]:
    """Send the same again and again on many connections of one address while the block runs."""
    is_over = threading.Event()
    has_begun = threading.Barrier(CONNECTIONS + 1)

    def send() -> None:
        connection = http.client.HTTPConnection(
            *service.address, timeout=60, source_address=(FLOODER, 0)
        )
        is_first = True
        while not is_over.is_set():
            connection.request(method, path, body, {"accept-encoding": "gzip"})
            connection.getresponse().read()
            if is_first:
                has_begun.wait()
                is_first = False
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    has_begun.wait()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def person(service: RunningService) -> httpx.Client:
    """A caller without a key, from an address of its own."""
    transport = httpx.HTTPTransport(local_address=PERSON)
    return httpx.Client(base_url=service.url, transport=transport, timeout=30)


def change_s(service: RunningService, path: str) -> float:
    """How long two changes take during a flood of an address."""
    with flood(service, "GET", path, None):
        began = time.perf_counter()
        for op in ("shield", "unshield"):
            change(service, shield(op))
        return time.perf_counter() - began


def test_a_flood_of_a_page_delays_a_change_no_more_than_one_of_health(
    alone: RunningService,
) -> None:
    usual_s = change_s(alone, "/healthz")
    for path in ("/openapi.json", "/metrics"):
        assert change_s(alone, path) < SLOWER_MAX * usual_s + SPARE_S, path
    with alone.client(alone.keys["institution"]) as client:
        assert ask(client, INNOCENT, FLIGHT)["decision"] == "allow"


def test_a_flood_of_filings_keeps_nobody_off_who_was_refused(alone: RunningService) -> None:
    with alone.client(alone.keys["institution"]) as client:
        refusal = ask(client, DEBTOR, FLIGHT)["id"]
    filing = {"ground": "此案已结清", "contact": "someone@example.com"}
    guess = json.dumps(filing | {"decision_id": FAR}).encode()
    with flood(alone, "POST", "/v1/corrections", guess), person(alone) as somebody:
        filed = somebody.post("/v1/corrections", json=filing | {"decision_id": refusal})
        assert filed.status_code == 201, filed.text
        listed = somebody.post("/v1/corrections", json=filing | {"listing_id": "1"})
        assert listed.status_code == 201, listed.text
        standing = somebody.get(f"/v1/corrections/{filed.json()['id']}")
        assert standing.json()["status"] == "open"
    # The sender of the flood has guessed for this hour, also about corrections.
    transport = httpx.HTTPTransport(local_address=FLOODER)
    with httpx.Client(base_url=alone.url, transport=transport) as flooder:
        told = flooder.get(f"/v1/corrections/{FAR}")
    problem(told, 429, "quota-exceeded")
    assert int(told.headers["retry-after"]) > 0
