"""Feeds under `Idempotency-Key` and `If-Match`, as their senders see them."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, problem
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, INNOCENT, OTHER_NAME, TOWN, document, listing, ndjson, person

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

SNAPSHOT = "/v1/feed/snapshot"
CHANGES = "/v1/feed/changes"
LISTED = listing("99", person(OTHER_NAME, document(INNOCENT)))
LIST = ndjson([{"op": "list", "listing": LISTED}])
DELIST = ndjson([{"op": "delist", "listing_id": "99", "ground": "corrected", "on": "2026-01-01"}])
_numbers = count()


def key(text: str = "k") -> dict[str, str]:
    return {"Idempotency-Key": f"{text} {next(_numbers)}"}


def match(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def test_changes_that_are_sent_again_get_the_first_answer_and_change_nothing(
    court: httpx.Client, institution: httpx.Client
) -> None:
    under = key()
    first = court.post(CHANGES, content=LIST, headers=under)
    assert first.status_code == 200
    assert court.post(CHANGES, content=DELIST, headers=key()).status_code == 200
    again = court.post(CHANGES, content=LIST, headers=under)
    assert (again.status_code, again.content) == (200, first.content)
    assert ask(institution, INNOCENT, FLIGHT)["decision"] == "allow"


def test_a_list_that_is_sent_again_gets_the_first_answer_and_changes_nothing(
    court: httpx.Client, institution: httpx.Client
) -> None:
    under = key()
    body = ndjson(TOWN)
    first = court.put(SNAPSHOT, content=body, headers=under)
    assert court.post(CHANGES, content=LIST, headers=key()).status_code == 200
    again = court.put(SNAPSHOT, content=body, headers=under)
    assert (again.status_code, again.content) == (200, first.content)
    assert ask(institution, INNOCENT, FLIGHT)["decision"] == "deny"
    assert court.post(CHANGES, content=DELIST).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_another_body_under_a_used_key_is_refused(court: httpx.Client, method: str) -> None:
    under = key()
    address = CHANGES if method == "POST" else SNAPSHOT
    body = ndjson([{"op": "nothing"}]) if method == "POST" else ndjson(TOWN)
    assert court.request(method, address, content=body, headers=under).status_code == 200
    other = court.request(method, address, content=body + b"{}\n", headers=under)
    problem(other, 422, "idempotency-key-reused")
    name = {"POST": "strict", "PUT": "allow_shrink"}[method]
    told = court.request(method, f"{address}?{name}=true", content=body, headers=under)
    problem(told, 422, "idempotency-key-reused")


def test_a_key_belongs_to_its_address_and_its_account(
    service: RunningService, court: httpx.Client
) -> None:
    under = key()
    assert court.post(CHANGES, content=LIST, headers=under).json()["accepted"] == 1
    assert court.put(SNAPSHOT, content=ndjson(TOWN), headers=under).status_code == 200
    service.make_keys({"other court": ("--role", "court")})
    with service.client(service.keys["other court"]) as other:
        assert other.post(CHANGES, content=DELIST, headers=under).status_code == 200


def test_a_version_that_has_moved_on_changes_nothing(
    court: httpx.Client,
    institution: httpx.Client,
    put_snapshot: Callable[..., dict[str, Any]],
) -> None:
    version = put_snapshot(list(TOWN))["version"]
    for wrong in (version - 1, version + 1, 0):
        for sent in (
            court.post(CHANGES, content=LIST, headers=match(wrong)),
            court.put(SNAPSHOT, content=ndjson([*TOWN, LISTED]), headers=match(wrong)),
        ):
            problem(sent, 412, "conflict")
    assert ask(institution, INNOCENT, FLIGHT)["decision"] == "allow"
    sent = court.put(SNAPSHOT, content=ndjson(TOWN), headers=match(version))
    assert sent.json()["version"] == version + 1
    sent = court.post(CHANGES, content=LIST, headers=match(version + 1))
    assert sent.json()["version"] == version + 2
    assert ask(institution, INNOCENT, FLIGHT)["decision"] == "deny"
    assert court.post(CHANGES, content=DELIST).status_code == 200


def test_under_a_key_the_first_answer_comes_before_the_version(court: httpx.Client) -> None:
    version = court.put(SNAPSHOT, content=ndjson(TOWN)).json()["version"]
    under = key() | match(version)
    first = court.post(CHANGES, content=LIST, headers=under)
    assert first.status_code == 200
    again = court.post(CHANGES, content=LIST, headers=under)
    assert (again.status_code, again.content) == (200, first.content)
    problem(court.post(CHANGES, content=DELIST, headers=under), 422, "idempotency-key-reused")
    assert court.post(CHANGES, content=DELIST).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-Match", DEBTOR),
        ("If-Match", f'"{DEBTOR}x"'),
        ("If-Match", f'W/"{DEBTOR}"'),
        ("If-Match", '"01"'),
        ("If-Match", '"-1"'),
        ("If-Match", '"1", "2"'),
        ("If-Match", '"1' + "0" * 18 + '"'),
        ("If-Match", "*"),
        ("If-Match", ""),
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "x" * 256),
        ("Idempotency-Key", f"{DEBTOR}\u0085x"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_header_that_is_not_as_it_must_be_is_named_and_not_repeated(
    court: httpx.Client, method: str, name: str, value: str
) -> None:
    address = CHANGES if method == "POST" else SNAPSHOT
    headers = {name.encode(): value.encode("latin-1")}
    sent = court.request(method, address, content=LIST, headers=headers)
    told = problem(sent, 400, "invalid-request")
    assert name in told["detail"]
    assert DEBTOR not in sent.text


def test_a_header_that_comes_twice_is_refused(court: httpx.Client) -> None:
    for name, values in (("If-Match", ('"1"', '"2"')), ("Idempotency-Key", ("a", "b"))):
        headers = [(name, value) for value in values]
        sent = court.post(CHANGES, content=LIST, headers=headers)
        assert name in problem(sent, 400, "invalid-request")["detail"]
