"""Spending over HTTP: merchants' orders, each under a key of its own unless it is said which."""

import itertools
from typing import Any

import httpx

from tests.support.asking import question
from tests.support.changing import CHANGES, Stranger
from tests.support.town import ndjson

AUTHORIZATIONS = "/v1/spending/authorizations"
CAP_FEN = 200_000
"""A month, in the settings of the tests' server."""

_keys = itertools.count(1)


def resort(amount_fen: Any, venue: str = "rated_resort") -> dict[str, Any]:
    return {"type": "resort", "venue": venue, "amount_fen": amount_fen}


def keyed(key: str | None = None) -> dict[str, str]:
    return {"idempotency-key": key or f"key-{next(_keys)}"}


def hold(
    client: httpx.Client,
    number: str,
    amount_fen: int,
    *,
    key: str | None = None,
    hold_seconds: int | None = None,
    **more: Any,
) -> httpx.Response:
    body = question(number, resort(amount_fen), **more)
    if hold_seconds is not None:
        body["hold_seconds"] = hold_seconds
    return client.post(AUTHORIZATIONS, json=body, headers=keyed(key))


def order(
    client: httpx.Client, what: str, *, key: str | None = None, **body: Any
) -> httpx.Response:
    """Send a move, as `<id>/capture`."""
    json = body or None
    return client.post(f"{AUTHORIZATIONS}/{what}", json=json, headers=keyed(key))


def look(client: httpx.Client, authorization_id: str) -> dict[str, Any]:
    response = client.get(f"{AUTHORIZATIONS}/{authorization_id}")
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def listed_stranger(court: httpx.Client) -> Stranger:
    """Have somebody listed whom no other test knows."""
    stranger = Stranger()
    report = court.post(CHANGES, content=ndjson([stranger.listed()])).json()
    assert report["accepted"] == 1, report
    return stranger
