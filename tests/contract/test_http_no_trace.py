"""The innocent leave no trace: all stored and sent data is searched for the people asked about.

`NO_TRACE_CHECKS` says about how many. A million takes some minutes, and a gigabyte or two.
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from checker.config import Config, load_config
from checker.node.servers import open_servers
from tests.contract.no_trace import (
    Innocent,
    Search,
    dump_postgres,
    dump_redis,
    dump_rest,
    forms,
    sealer_of,
    tallied,
    token_as_kept,
    token_key_of,
)
from tests.support.asking import FLIGHT, G_TRAIN, SLOW_TRAIN, question
from tests.support.running_service import RunningService, wait_until
from tests.support.self_check import listed, look_up
from tests.support.spending import AUTHORIZATIONS, keyed, resort
from tests.support.town import DEBTOR, MASKED

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

CHECKS = int(os.environ.get("NO_TRACE_CHECKS", "20000"))
BATCH = 10_000
CONNECTIONS = 8
SINGLES = range(10_000_000, 10_000_400)
BUYERS = range(10_001_000, 10_001_040)
MISTAKEN = range(10_002_000, 10_002_040)
MISPLACED = range(10_003_000, 10_003_020)
MISNAMED = range(10_004_000, 10_004_020)
SELF_CHECKED = range(10_005_000, 10_005_006)

# Other work goes on besides: checks are counted, and somebody publishes. Other tests' decisions go
# into the chain, and the head of the chain goes into the journal each minute.
TABLES_THAT_GROW = {
    "public.check_tally",
    "public.registry_lease",
    "public.encryption_key_holder",
    "public.key_use",
    "public.chain_link",
    "public.unchained",
    "public.journal",
    "public.notice",
    "public.notice_progress",
    "public.webhook",
    "public.delivery",
}


@pytest.fixture
def stores(service: RunningService) -> Iterator[Config]:
    """The deployment's stores, named."""
    with open_servers(load_config({}, data_dir=service.data_dir)) as named:
        yield named


def asked_in_batches() -> Iterator[dict[str, Any]]:
    """Batches of both shapes, in turn."""
    for start in range(0, CHECKS, BATCH):
        people = [Innocent(index) for index in range(start, min(start + BATCH, CHECKS))]
        if start // BATCH % 2:
            yield {
                "checks": [
                    {"subject": one.subject, "service": FLIGHT, "reference": one.reference}
                    for one in people
                ]
            }
        else:
            yield {"service": G_TRAIN, "subjects": [one.subject for one in people]}


def ask_all(service: RunningService) -> None:
    """Ask about all innocents in every way there is, right and wrong."""
    key = service.keys["institution"]
    with service.client(key) as client:
        for batch in asked_in_batches():
            results = client.post("/v1/checks/batch", json=batch).json()["results"]
            assert {result["decision"] for result in results} == {"allow"}

    def ask_some(places: range) -> None:
        with service.client(key) as client:
            for one in map(Innocent, places):
                check = question(one.number, SLOW_TRAIN, name=one.name, reference=one.reference)
                response = client.post("/v1/checks", json=check)
                assert response.json()["decision"] == "allow"

    with ThreadPoolExecutor(CONNECTIONS) as askers:
        list(askers.map(ask_some, [SINGLES[start::CONNECTIONS] for start in range(CONNECTIONS)]))
    with service.client(key) as client, service.client() as anyone:
        ask_in_other_ways(client, anyone, key)


def ask_in_other_ways(client: httpx.Client, anyone: httpx.Client, key: str) -> None:
    for one in map(Innocent, BUYERS):
        sale = question(one.number, resort(100), name=one.name, reference=one.reference)
        response = client.post(AUTHORIZATIONS, json=sale, headers=keyed(one.reference))
        assert response.json() == {"id": None, "status": "uncapped"}
    for index in MISNAMED:
        check = question(MASKED, FLIGHT, name=Innocent(index).name)
        assert client.post("/v1/checks", json=check).json()["decision"] == "allow"
    for one in map(Innocent, SELF_CHECKED):
        assert listed(look_up(anyone, one.name, one.number)) == "no"
    for index in MISNAMED[:2]:
        assert listed(look_up(anyone, Innocent(index).name, DEBTOR)) == "no"
    for index in MISTAKEN:
        one = Innocent(index, is_mistaken=True)
        assert look_up(anyone, one.name, one.number).status_code == 422
        check = question(one.number, FLIGHT, name=one.name, reference=one.reference)
        assert client.post("/v1/checks", json=check).status_code == 422
        client.post("/v1/checks/batch", json={"service": FLIGHT, "subjects": [one.subject]})
    for one in map(Innocent, MISPLACED):
        check = question(one.number, FLIGHT, name=one.name)
        in_address = {"number": one.number, "key": key, "access_token": key, "api_key": key}
        response = anyone.post("/v1/checks", json=check, params=in_address)
        assert response.status_code == 401
        address = f"/v1/checks/{one.number}"
        assert anyone.get(address, params=in_address).status_code == 401
        assert anyone.get(address, params={"n": one.number}).status_code in {404, 405}
        assert client.get(f"/v1/decisions/{one.number}").status_code == 404
        headers = {"x-request-id": one.number, "user-agent": one.number, "referer": one.number}
        assert client.post("/v1/checks", json=check, headers=headers).status_code in {200, 400}


def dump(service: RunningService, stores: Config) -> dict[str, bytes]:
    return asyncio.run(dump_postgres(stores)) | dump_redis(stores) | dump_rest(service)


def test_whoever_was_asked_about_and_allowed_is_nowhere(
    service: RunningService, stores: Config
) -> None:
    sealer, key = sealer_of(service), token_key_of(service)
    before = dump(service, stores)
    tallied_before = asyncio.run(tallied(stores))
    ask_all(service)
    asked = CHECKS + len(SINGLES)
    wait_until(lambda: asyncio.run(tallied(stores)) >= tallied_before + asked)
    after = dump(service, stores)

    def needles() -> Iterator[bytes]:
        yield from forms(service.keys["institution"].encode())
        for places in (range(CHECKS), SINGLES, BUYERS, MISPLACED, MISNAMED, SELF_CHECKED):
            for index in places:
                yield from Innocent(index).needles(sealer, key)
        for index in MISTAKEN:
            yield from Innocent(index, is_mistaken=True).needles(sealer, key)

    assert not Search(needles).found_in(after)
    tables = [name for name in after if name.startswith(("public.", "decision"))]
    changed = {name for name in tables if after[name] != before.get(name)}
    assert changed <= TABLES_THAT_GROW


def test_the_search_would_find_them(service: RunningService, stores: Config) -> None:
    sealer, key = sealer_of(service), token_key_of(service)
    one = Innocent(1)
    search = Search(lambda: one.needles(sealer, key))
    needles = set(one.needles(sealer, key))
    kept = {needle.hex(): b"x" * 1001 + needle + b"y" for needle in needles}
    within = {needle.hex(): {other for other in needles if other in needle} for needle in needles}
    assert search.found_in(kept) == within
    broken = {needle.hex(): needle[:-1] + bytes([needle[-1] ^ 0xFF]) * 9 for needle in needles}
    assert not search.found_in(broken)
    listed = Search(lambda: forms(token_as_kept(sealer, key, DEBTOR)))
    holding = listed.found_in(dump(service, stores))
    assert "public.document" in holding
    assert [name for name in holding if name.startswith("checker:")]
