"""An account that is bound to courts: over HTTP and from the command line."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, pointers, problem
from tests.support.changing import Court, Stranger
from tests.support.running_service import RunningService
from tests.support.town import Line

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

OWN, OTHER = "示例县人民法院", "示例市人民法院"
ACCOUNTS = "/v1/accounts"
SNAPSHOT = "/v1/feed/snapshot"


@pytest.fixture(scope="module")
def account(operator: httpx.Client) -> str:
    sent = {"name": "bound court", "role": "court", "courts": [OWN]}
    response = operator.post(ACCOUNTS, json=sent)
    assert response.status_code == 201, response.text
    assert response.json()["courts"] == [OWN]
    return str(response.headers["location"])


@pytest.fixture(scope="module")
def bound(service: RunningService, operator: httpx.Client, account: str) -> Iterator[httpx.Client]:
    key = operator.post(f"{account}/keys", json={}).json()["key"]
    with service.client(key) as client:
        yield client


def snapshot(client: httpx.Client, *listings: Line, **parameters: str) -> dict[str, Any]:
    content = "\n".join(map(json.dumps, listings)).encode()
    response = client.put(SNAPSHOT, content=content, params=parameters)
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


def test_a_bound_court_changes_its_own_listings_alone(
    bound: httpx.Client, court: httpx.Client, institution: httpx.Client
) -> None:
    own, other = Stranger(), Stranger()
    Court(court).do(own.listed(court=OWN), other.listed(court=OTHER))
    report = Court(bound).say(
        own.about("delist", ground="fulfilled"),
        other.about("delist", ground="fulfilled"),
        other.listed(court=OTHER),
        other.permit("P", court=OTHER),
    )
    assert [(line["line"], line["code"]) for line in report["rejected"]] == [
        (2, "not-yours"),
        (3, "not-yours"),
        (4, "not-yours"),
    ]
    assert ask(institution, own.number, FLIGHT)["decision"] == "allow"
    assert ask(institution, other.number, FLIGHT)["decision"] == "deny"
    Court(court).do(other.about("delist", ground="fulfilled"))


def test_a_snapshot_of_a_bound_court_leaves_the_rest_of_the_list(
    bound: httpx.Client, court: httpx.Client, institution: httpx.Client
) -> None:
    first, second, other = Stranger(), Stranger(), Stranger()
    Court(court).do(other.listed(court=OTHER))
    assert snapshot(bound, first.listing(court=OWN))["accepted"] == 1
    report = snapshot(bound, second.listing(court=OWN), other.listing(court=OTHER))
    assert [line["code"] for line in report["rejected"]] == ["not-yours"]
    told = [ask(institution, each.number, FLIGHT) for each in (first, second, other)]
    assert [answer["decision"] for answer in told] == ["allow", "deny", "deny"]
    snapshot(bound, allow_empty="true")
    Court(court).do(other.about("delist", ground="fulfilled"))


def test_a_bound_court_rules_on_its_own_listings_alone(
    bound: httpx.Client, court: httpx.Client
) -> None:
    own, other = Stranger(), Stranger()
    Court(court).do(own.listed(court=OWN), other.listed(court=OTHER))
    filed = [
        court.post(
            "/v1/corrections",
            json={"listing_id": each.listing_id, "ground": "已履行", "contact": "a@example.com"},
        ).json()["id"]
        for each in (own, other)
    ]
    for address in (f"/v1/corrections/{filed[1]}", f"/v1/corrections/{filed[0]}"):
        shown = bound.get(address)
        ruled = bound.post(f"{address}/ruling", json={"ruling": "upheld"})
        expected = 200 if filed[0] in address else 404
        assert (shown.status_code, ruled.status_code) == (expected, expected)
    page = bound.get("/v1/corrections").json()["corrections"]
    assert {listing["court"] for each in page for listing in each["listings"]} == {OWN}
    Court(court).do(other.about("delist", ground="fulfilled"))


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"role": "court", "courts": []}, "/courts"),
        ({"role": "court", "courts": [""]}, "/courts/0"),
        ({"role": "court", "courts": ["x", 1]}, "/courts/1"),
        ({"role": "court", "courts": "x"}, "/courts"),
        ({"role": "institution", "courts": [OWN]}, "/courts"),
    ],
)
def test_courts_that_are_none_are_refused_with_their_place(
    operator: httpx.Client, sent: dict[str, Any], pointer: str
) -> None:
    body = problem(operator.post(ACCOUNTS, json={"name": "none"} | sent), 400, "invalid-request")
    assert pointers(body) == [pointer]


def test_the_courts_of_an_account_are_changed(operator: httpx.Client, account: str) -> None:
    changed = operator.patch(account, json={"courts": [OTHER, OWN]})
    assert changed.json()["courts"] == [OTHER, OWN]
    assert operator.patch(account, json={"courts": [OWN]}).json()["courts"] == [OWN]
