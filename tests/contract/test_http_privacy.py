"""A number or name in a wrong place comes back in no body, header or log.

Every client of these tests refuses answers with one (`running_service.refuse_marks`), and the log
is searched here and when the server ends.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, ask, problem, question
from tests.support.running_service import RunningService, wait_until
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, MARKS, PASSPORT, TRAVELLER_NAME

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

RIGHT = question(DEBTOR, G_TRAIN)
SUBJECT = RIGHT["subject"]
# Unknown fields whose names look like the end of msgspec's own messages.
FORGED_PATHS = [f"a` - at `$.{DEBTOR}", f"a` - at `$[{DEBTOR}]", f"` - at `$.{DEBTOR_NAME}"]
MISPLACED: list[dict[str, Any]] = [
    {
        **RIGHT,
        "service": {**G_TRAIN, "type": mark},
    }
    for mark in (DEBTOR, DEBTOR_NAME, PASSPORT)
] + [
    {**RIGHT, DEBTOR: 1},
    {**RIGHT, DEBTOR_NAME: 1},
    *({**RIGHT, name: 1} for name in FORGED_PATHS),
    *({**RIGHT, "subject": {**SUBJECT, name: 1}} for name in FORGED_PATHS),
    {**RIGHT, "jurisdiction": DEBTOR},
    {**RIGHT, "jurisdiction": DEBTOR[:6] + DEBTOR},
    {**RIGHT, "receipt": DEBTOR},
    {**RIGHT, "reference": [DEBTOR]},
    {**RIGHT, "service": DEBTOR},
    {**RIGHT, "service": {**G_TRAIN, "train": DEBTOR}},
    {**RIGHT, "service": {**G_TRAIN, "seat": TRAVELLER_NAME}},
    {**RIGHT, "service": {"type": "resort", "venue": "unrated", "amount_fen": int(DEBTOR)}},
    {**RIGHT, "subject": DEBTOR},
    {**RIGHT, "subject": {**SUBJECT, DEBTOR: DEBTOR_NAME}},
    {**RIGHT, "subject": {**SUBJECT, "document": DEBTOR}},
    {**RIGHT, "subject": {**SUBJECT, "document": {"type": DEBTOR, "number": DEBTOR}}},
    {**RIGHT, "subject": {**SUBJECT, "document": {"type": "passport", "number": DEBTOR}}},
    {**RIGHT, "subject": {**SUBJECT, "document": {"type": "uscc", "number": DEBTOR_NAME}}},
    {**RIGHT, "subject": {**SUBJECT, "document": {"type": "resident_id", "number": int(DEBTOR)}}},
]


@pytest.mark.parametrize("request_body", MISPLACED)
def test_a_number_in_a_wrong_field_is_not_repeated(
    institution: httpx.Client, request_body: dict[str, Any]
) -> None:
    assert institution.post("/v1/checks", json=request_body).status_code in {400, 422}
    shared = {"service": G_TRAIN, "subjects": [request_body["subject"]], **request_body}
    for batch in ({"checks": [request_body, RIGHT]}, shared):
        response = institution.post("/v1/checks/batch", json=batch)
        assert response.status_code in {200, 400}, response.text


def test_a_number_in_the_address_is_not_repeated(
    institution: httpx.Client, anyone: httpx.Client
) -> None:
    for mark in (DEBTOR, quote(DEBTOR_NAME), PASSPORT):
        for client in (institution, anyone):
            for path in (f"/v1/{mark}", f"/v1/checks/{mark}", f"/problems/{mark}", f"/{mark}"):
                assert client.get(path).status_code in {404, 405}
            client.post(f"/v1/checks?number={mark}", json=RIGHT)
            client.get(f"/v1/list?{mark}={mark}")
            client.request(mark if mark.isascii() else "GET", "/v1/checks")


def test_a_number_in_the_parameters_of_the_feed_is_not_repeated(court: httpx.Client) -> None:
    for parameters in ({"format": DEBTOR}, {"allow_empty": DEBTOR_NAME}, {DEBTOR: "1"}):
        response = court.put("/v1/feed/snapshot", params=parameters, content=b"{}")
        assert response.status_code == 400


def test_a_number_as_a_key_is_not_repeated(anyone: httpx.Client) -> None:
    for value in (DEBTOR, f"Bearer {DEBTOR}", f"Basic {DEBTOR}", f"Bearer {PASSPORT} {DEBTOR}"):
        response = anyone.post("/v1/checks", json=RIGHT, headers={"authorization": value})
        assert response.status_code == 401


def test_a_number_in_other_headers_is_not_repeated(institution: httpx.Client) -> None:
    headers = {"x-request-id": DEBTOR, "accept": DEBTOR, "content-type": DEBTOR, "origin": DEBTOR}
    response = institution.post("/v1/checks", json=question(INNOCENT, FLIGHT), headers=headers)
    problem(response, 415, "unsupported-media-type")


def test_the_metrics_tell_of_nobody(institution: httpx.Client, anyone: httpx.Client) -> None:
    ask(institution, DEBTOR, G_TRAIN, name=DEBTOR_NAME)
    response = anyone.get("/metrics")
    assert response.status_code == 200
    assert not [mark for mark in MARKS if mark in response.text]


def test_the_log_tells_of_nobody(service: RunningService, institution: httpx.Client) -> None:
    ask(institution, DEBTOR, G_TRAIN, name=DEBTOR_NAME)
    institution.post("/v1/checks", json=question(DEBTOR_NAME, G_TRAIN))
    log = service.log()
    assert "checker: http://" in log
    assert not [mark for mark in MARKS if mark in log]


def test_each_line_of_the_log_is_an_object_and_each_kept_decision_has_one(
    service: RunningService, institution: httpx.Client
) -> None:
    denied = ask(institution, DEBTOR, G_TRAIN)["id"]
    subjects = [question(number, FLIGHT)["subject"] for number in (INNOCENT, DEBTOR)]
    batch = {"service": FLIGHT, "subjects": subjects}
    results = institution.post("/v1/checks/batch", json=batch).json()["results"]
    wait_until(lambda: results[1]["id"] in service.log())
    lines = [json.loads(line) for line in service.log().splitlines()]
    kept = {line["decision_id"]: line for line in lines if "decision_id" in line}
    assert kept.keys() >= {denied, results[1]["id"]}
    assert results[0]["id"] not in service.log()
    told = kept[denied]
    assert (told["service"], told["outcome"], told["level"]) == ("rail", "deny", "INFO")
    assert UUID(told["account_id"]) == UUID(kept[results[1]["id"]]["account_id"])
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert {time.utcoffset() for time in times} == {timedelta()}
