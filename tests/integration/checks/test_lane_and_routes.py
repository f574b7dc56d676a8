"""The fast lane and the routes behind it give the same answers."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.checks.checks_grounds import DEBTOR, INNOCENT
from tests.integration.checks.doors import open_doors

pytestmark = pytest.mark.anyio

RAIL = {"type": "rail", "train": "G79", "seat": "second"}
CHECK = {
    "subject": {"document": {"type": "resident_id", "number": DEBTOR}},
    "service": RAIL,
    "reference": "ORDER-1",
}
INNOCENT_CHECK = {**CHECK, "subject": {"document": {"type": "resident_id", "number": INNOCENT}}}
WRONG_NUMBER = {**CHECK, "subject": {"document": {"type": "resident_id", "number": "1"}}}
REQUESTS: dict[str, tuple[str, bytes]] = {
    "deny": ("/v1/checks", json.dumps(CHECK).encode()),
    "allow": ("/v1/checks", json.dumps(INNOCENT_CHECK).encode()),
    "a receipt": ("/v1/checks", json.dumps({**CHECK, "receipt": True}).encode()),
    "no JSON": ("/v1/checks", b"{"),
    "a wrong field": ("/v1/checks", json.dumps({**CHECK, "extra": 1}).encode()),
    "a wrong number": ("/v1/checks", json.dumps(WRONG_NUMBER).encode()),
    "too large": ("/v1/checks", b" " * 70_000),
    "a batch": (
        "/v1/checks/batch",
        json.dumps({"checks": [CHECK, WRONG_NUMBER, INNOCENT_CHECK, 1]}).encode(),
    ),
    "a batch of subjects": (
        "/v1/checks/batch",
        json.dumps({"service": RAIL, "subjects": [CHECK["subject"], {}]}).encode(),
    ),
    "no batch": ("/v1/checks/batch", b"[]"),
}


NEW_EACH_TIME = {"content-length", "x-request-id"}


def told(response: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """Return the answer without ids and receipts, which are new each time."""
    body = response.json()
    for answer in (body, *body.get("results", ())):
        answer.pop("id", None)
        if answer.get("receipt"):
            answer["receipt"] = sorted(answer["receipt"])
    headers = {name: value for name, value in response.headers.items() if name not in NEW_EACH_TIME}
    return response.status_code, headers, body


async def test_the_lane_and_the_routes_give_the_same_answer(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with open_doors(tmp_path, database_url, redis_url) as doors:
        authorizations = [
            None,
            "Bearer x",
            "Basic x",
            *(f"Bearer {doors.keys[r]}" for r in doors.keys),
        ]
        statuses = set()
        for authorization in authorizations:
            headers = {} if authorization is None else {"authorization": authorization}
            for name, (path, body) in REQUESTS.items():
                by_lane = await doors.lane.post(path, content=body, headers=headers)
                by_route = await doors.routed.post(path, content=body, headers=headers)
                assert told(by_lane) == told(by_route), name
                statuses.add(by_lane.status_code)
        assert statuses == {200, 400, 401, 403, 413, 422}


async def test_the_lane_hands_on_what_it_does_not_answer(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with open_doors(tmp_path, database_url, redis_url) as doors:
        for path in ("/healthz", "/openapi.json", "/v1/checks", "/nowhere"):
            by_lane, by_route = await doors.lane.get(path), await doors.routed.get(path)
            assert (by_lane.status_code, by_lane.content) == (
                by_route.status_code,
                by_route.content,
            )
