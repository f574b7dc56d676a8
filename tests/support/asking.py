"""Questions over HTTP, and their answers."""

from typing import Any

import httpx

from tests.support.town import document

G_TRAIN = {"type": "rail", "train": "G79", "seat": "second"}
SLOW_TRAIN = {"type": "rail", "train": "K511", "seat": "hard_seat"}
FLIGHT = {"type": "air", "flight": "CZ3101"}


def question(
    number: str,
    asked: dict[str, Any],
    *,
    kind: str = "resident_id",
    name: str | None = None,
    issuer: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    issued = {} if issuer is None else {"issuer": issuer}
    subject: dict[str, Any] = {"document": document(number, kind) | issued}
    if name is not None:
        subject["name"] = name
    return {"subject": subject, "service": asked, **more}


def ask(client: httpx.Client, number: str, asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Ask one question and read the answer, which must be 200."""
    response = client.post("/v1/checks", json=question(number, asked, **more))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the reasons as (code, measure), in the order of the answer."""
    return [(reason["code"], reason["measure"]) for reason in answer["reasons"]]


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Read a problem, which must be a whole one of that kind."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code"} <= set(told)
    assert (told["type"], told["status"], told["code"]) == (f"/problems/{code}", status, code)
    return told


def pointers(told: dict[str, Any]) -> list[str]:
    return [fault["pointer"] for fault in told.get("errors", [])]
