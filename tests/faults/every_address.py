"""Every request that writes, with its thing made before: who sends it, where and with what."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support.asking import FLIGHT, ask, question
from tests.support.running_service import RunningService
from tests.support.spending import hold, keyed, resort
from tests.support.town import COMPANY_NAME, DEBTOR, DEBTOR_NAME, TOWN, listing, ndjson, person

Request = tuple[str, str, str, dict[str, Any]]
"""Role, method, path, and the rest as `httpx` takes it."""

_BROKEN_LINE = b'{"op": "delist", "listing_id": "nobody", "ground": "settled"}\n'


def requests_that_write(service: RunningService) -> list[Request]:
    """Make the things that are asked about, and give one request for each way to write."""
    with (
        service.client(service.keys["institution"]) as seller,
        service.client(service.keys["court"]) as court,
        service.client(service.keys["operator"]) as operator,
    ):
        decision = ask(seller, DEBTOR, FLIGHT)["id"]
        held = hold(seller, DEBTOR, 2).json()["id"]
        filing = {"listing_id": "1", "ground": "x", "contact": "someone@example.com"}
        filed = _made(seller.post("/v1/corrections", json=filing), "id")
        made = {"name": f"某酒店 {uuid4()}", "role": "institution"}
        account = f"/v1/accounts/{_made(operator.post('/v1/accounts', json=made), 'id')}"
        key = f"{account}/keys/{_made(operator.post(f'{account}/keys'), 'id')}"
        assert court.post("/v1/feed/changes", content=_BROKEN_LINE).json()["rejected"]
        lines = court.get("/v1/feed/quarantine").json()["lines"]
        assert seller.put("/v1/webhook", json={"url": service.url}).is_success
    spending = "/v1/spending/authorizations"
    check = question(DEBTOR, FLIGHT)
    entry = listing("new", person(DEBTOR_NAME, {"type": "passport", "number": "P87654321"}))
    change = {"op": "list", "listing": entry}
    return [
        ("institution", "POST", "/v1/checks", {"json": check}),
        ("institution", "POST", "/v1/checks/batch", {"json": {"checks": [check, check]}}),
        (
            "institution",
            "POST",
            f"/v1/checks/{decision}/outcomes",
            {"json": {"outcome": "refused"}},
        ),
        (
            "institution",
            "POST",
            spending,
            {"json": question(DEBTOR, resort(1)), "headers": keyed()},
        ),
        *(
            ("institution", "POST", f"{spending}/{held}/{move}", {"json": body, "headers": keyed()})
            for move, body in (
                ("increment", {"amount_fen": 1}),
                ("capture", {"amount_fen": 1}),
                ("void", None),
            )
        ),
        ("court", "PUT", "/v1/feed/snapshot", {"content": ndjson([*TOWN, entry])}),
        ("court", "POST", "/v1/feed/changes", {"content": ndjson([change])}),
        ("court", "POST", "/v1/feed/changes?strict=true", {"content": ndjson([change])}),
        ("court", "POST", "/v1/feed/changes", {"content": _BROKEN_LINE}),
        ("court", "POST", f"/v1/corrections/{filed}/ruling", {"json": {"ruling": "upheld"}}),
        ("institution", "POST", "/v1/corrections", {"json": filing | {"listing_id": "2"}}),
        ("institution", "PUT", "/v1/webhook", {"json": {"url": f"{service.url}/other"}}),
        ("institution", "DELETE", "/v1/webhook", {}),
        ("institution", "POST", "/v1/reconciliations", {"content": b"{}\n"}),
        ("operator", "POST", "/v1/accounts", {"json": made | {"name": COMPANY_NAME}}),
        ("operator", "PATCH", account, {"json": {"items_per_day": 7}}),
        ("operator", "POST", f"{account}/keys", {}),
        ("operator", "POST", f"{key}/rotate", {}),
        ("operator", "DELETE", key, {}),
        ("court", "POST", "/v1/feed/quarantine/retry", {"json": {"ids": [lines[-1]["id"]]}}),
    ]


def requests_that_read(service: RunningService) -> list[Request]:
    """Give every address that is read, without what belongs to a thing, for every role."""
    document = httpx.get(f"{service.url}/openapi.json").json()
    return [
        (role, "GET", path, {})
        for path, methods in document["paths"].items()
        if "get" in methods and "{" not in path
        for role in service.keys
    ]


def _made(response: httpx.Response, field: str) -> str:
    assert response.is_success, response.text
    found: str = response.json()[field]
    return found
