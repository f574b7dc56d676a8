"""Who was told of a restriction is told when it ends: by the feed, and at an endpoint."""

from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.support.asking import FLIGHT, ask, problem
from tests.support.changing import Court, Stranger
from tests.support.notice_receiver import receiving
from tests.support.running_service import RunningService, wait_until

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]


@pytest.fixture(scope="module")
def hotel(service: RunningService) -> Any:
    """An institution whose feed no other test fills."""
    service.make_keys({"notices hotel": ("--role", "institution")})
    with service.client(service.keys["notices hotel"]) as client:
        yield client


def page(client: httpx.Client, **parameters: Any) -> dict[str, Any]:
    response = client.get("/v1/notices", params=parameters)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    assert set(told) == {"notices", "next"}
    return told


def after_next(client: httpx.Client, cursor: str, count: int = 1) -> dict[str, Any]:
    """Wait until so many are behind a cursor."""
    wait_until(lambda: len(page(client, after=cursor)["notices"]) >= count)
    return page(client, after=cursor)


def refused_and_freed(court: httpx.Client, client: httpx.Client, **on: str) -> tuple[Stranger, str]:
    somebody, says = Stranger(), Court(court)
    says.do(somebody.listed())
    decision_id: str = ask(client, somebody.number, FLIGHT)["id"]
    says.do(somebody.about("delist", ground="fulfilled", **on))
    return somebody, decision_id


def test_the_feed_tells_of_an_ending_by_an_event_and_a_cursor(
    court: httpx.Client, hotel: httpx.Client
) -> None:
    start = page(hotel)["next"]
    somebody, decision_id = refused_and_freed(court, hotel, on="2026-11-23")
    told = after_next(hotel, start)
    [event] = told["notices"]
    assert event["type"] == "restriction.lifted"
    assert (event["specversion"], event["datacontenttype"]) == ("1.0", "application/json")
    assert event["data"] == {
        "listing_id": somebody.listing_id,
        "decision_ids": [decision_id],
        "ground": "fulfilled",
        "ended_on": "2026-11-23",
    }
    assert hotel.get(f"/v1/decisions/{decision_id}").status_code == 200
    assert page(hotel, after=told["next"]) == {"notices": [], "next": told["next"]}
    other, _ = refused_and_freed(court, hotel)
    [later] = after_next(hotel, told["next"])["notices"]
    assert later["data"]["listing_id"] == other.listing_id


def test_pages_follow_each_other_by_their_cursors_without_a_gap(
    court: httpx.Client, hotel: httpx.Client
) -> None:
    start = page(hotel, limit=1000)["next"]
    wanted = [refused_and_freed(court, hotel)[0].listing_id for _ in range(3)]
    after_next(hotel, start, 3)
    met, cursor = [], start
    while found := page(hotel, after=cursor, limit=1)["notices"]:
        met += [each["data"]["listing_id"] for each in found]
        cursor = page(hotel, after=cursor, limit=1)["next"]
    assert met == wanted


def test_another_institution_is_told_nothing_of_it(
    service: RunningService, court: httpx.Client, hotel: httpx.Client
) -> None:
    service.make_keys({"notices other": ("--role", "institution")})
    start = page(hotel)["next"]
    refused_and_freed(court, hotel)
    assert after_next(hotel, start)["notices"]
    with service.client(service.keys["notices other"]) as other:
        assert page(other)["notices"] == []


@pytest.mark.parametrize("cursor", ["", "1", "bjE6LTE", "bjE6MS4w", "é", "A" * 400])
def test_a_cursor_that_was_not_given_is_refused(hotel: httpx.Client, cursor: str) -> None:
    told = problem(hotel.get("/v1/notices", params={"after": cursor}), 400, "invalid-request")
    assert told["errors"][0]["pointer"] == "/after"


@pytest.mark.parametrize("parameters", [{"limit": "0"}, {"limit": "1001"}, {"since": "1"}])
def test_a_parameter_that_is_not_known_or_out_of_bounds_is_refused(
    hotel: httpx.Client, parameters: dict[str, str]
) -> None:
    problem(hotel.get("/v1/notices", params=parameters), 400, "invalid-request")


def test_an_endpoint_is_told_by_a_message_that_standard_webhooks_verifies(
    court: httpx.Client, hotel: httpx.Client, operator: httpx.Client
) -> None:
    given = iter([503])
    with receiving(lambda _message: next(given, 200)) as receiver:
        secret = hotel.put("/v1/webhook", json={"url": receiver.url}).json()["secret"]
        start = page(hotel, limit=1000)["next"]
        refused_and_freed(court, hotel)
        wait_until(lambda: len(receiver.acknowledged) == 1)
        [event] = after_next(hotel, start)["notices"]
        for message in receiver.messages:
            told = Webhook(secret).verify(message.body, message.headers)
            assert told == event
        wait_until(lambda: hotel.get("/v1/webhook").json()["pending"] == 0)
        metrics = hotel.get("/metrics").text
        for state in ("pending", "dead"):
            assert f'checker_notices_undelivered{{state="{state}"}} ' in metrics
        shown = hotel.get("/v1/webhook").json()
        assert (shown["url"], shown["state"], shown["dead"]) == (receiver.url, "active", 0)
        assert shown["last_failure"]["code"] == "status-503"
        assert secret not in repr(shown)
        [listed] = [
            each
            for each in operator.get("/v1/webhooks").json()["webhooks"]
            if each["account"] == "notices hotel"
        ]
        assert listed["pending"] == 0
        assert hotel.delete("/v1/webhook").status_code == 204
        assert hotel.delete("/v1/webhook").status_code == 204
        problem(hotel.get("/v1/webhook"), 404, "not-found")
        problem(hotel.post("/v1/webhook/retry"), 404, "not-found")
        refused_and_freed(court, hotel)
        after_next(hotel, start, 2)
        assert len(receiver.acknowledged) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": 1},
        {"url": "hotel"},
        {"url": "ftp://hotel.example/"},
        {"uri": "x"},
        {"url": "https://a:b@hotel.example/"},
        {"url": "http://nobody.invalid/"},
        {"url": "https://hotel.example/", "secret": "mine"},
    ],
)
def test_what_can_be_no_endpoint_is_refused(hotel: httpx.Client, body: dict[str, Any]) -> None:
    told = problem(hotel.put("/v1/webhook", json=body), 400, "invalid-request")
    assert "hotel.example" not in repr(told)
