"""Lines that could not stand: who may see what of them, and what another try may do."""

import json
from typing import Any

import httpx
import pytest

from tests.support.asking import pointers, problem
from tests.support.changing import Court, Stranger, outcome
from tests.support.running_service import RunningService
from tests.support.town import TOWN

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

QUARANTINE = "/v1/feed/quarantine"
RETRY = f"{QUARANTINE}/retry"


@pytest.fixture(scope="module")
def says(court: httpx.Client) -> Court:
    return Court(court)


def last_lines(client: httpx.Client, count: int) -> list[dict[str, Any]]:
    """Read the last open lines, page by page."""
    lines: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = client.get(QUARANTINE, params={"after": after, "limit": 7}).json()
        assert len(page["lines"]) <= 7
        lines += page["lines"]
        after = page["next"]
    return lines[-count:]


def retry(client: httpx.Client, *ids: int) -> dict[str, Any]:
    response = client.post(RETRY, json={"ids": ids})
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


def test_a_line_that_came_too_early_stands_after_a_retry(
    court: httpx.Client, institution: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    says.say(somebody.about("shield"), somebody.listed())
    [line] = last_lines(court, 1)
    assert (line["line"], line["code"], line["format"]) == (1, "unknown-listing", "changes")
    report = retry(court, line["id"])
    assert (report["accepted"], report["rejected"]) == (1, [])
    assert outcome(institution, somebody.number) == "allow"
    assert line["id"] not in [each["id"] for each in last_lines(court, 1000)]


def test_a_second_retry_leaves_what_has_happened_since(
    court: httpx.Client, institution: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    says.say(somebody.about("shield"), somebody.listed())
    [line] = last_lines(court, 1)
    retry(court, line["id"])
    says.do(somebody.about("unshield"))
    assert retry(court, line["id"])["accepted"] == 1
    assert outcome(institution, somebody.number) == "deny"


def test_a_line_that_is_still_wrong_stays_with_the_reason_of_now(
    court: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    says.say(somebody.about("shield"))
    [line] = last_lines(court, 1)
    says.do(somebody.listed(), somebody.about("delist", ground="settled"))
    report = retry(court, line["id"])
    assert [(each["line"], each["code"]) for each in report["rejected"]] == [
        (line["id"], "listing-ended")
    ]
    [again] = last_lines(court, 1)
    assert (again["id"], again["code"]) == (line["id"], "listing-ended")


def test_a_line_of_a_strict_feed_is_not_applied_alone(
    court: httpx.Client, institution: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    says.say(somebody.about("shield"), somebody.listed(), strict="true")
    [line] = last_lines(court, 1)
    says.do(somebody.listed())
    [rejected] = retry(court, line["id"])["rejected"]
    assert rejected["code"] == "superseded"
    assert outcome(institution, somebody.number) == "deny"


def test_a_listing_that_a_later_snapshot_left_out_does_not_come_back(
    court: httpx.Client, institution: httpx.Client, says: Court, put_snapshot: Any
) -> None:
    owner, somebody = Stranger(), Stranger()
    says.do(owner.listed())
    clash = {"op": "list", "listing": somebody.listing(id=owner.listing_id, court="湛江市人民法院")}
    assert says.rejections(clash) == [(1, "id-taken")]
    [line] = last_lines(court, 1)
    put_snapshot(list(TOWN))
    [rejected] = retry(court, line["id"])["rejected"]
    assert rejected["code"] == "superseded"
    assert outcome(institution, somebody.number) == "allow"


def test_the_text_of_a_line_is_for_the_court_alone(
    service: RunningService, court: httpx.Client, operator: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    sent = somebody.listed() | {"unheard_of": somebody.number}
    says.say(sent)
    [line] = last_lines(operator, 1)
    address = f"{QUARANTINE}/{line['id']}"
    # By a client of its own: the others refuse to read a number.
    courts_key = {"authorization": f"Bearer {service.keys['court']}"}
    shown = httpx.get(f"{service.url}{address}", headers=courts_key).json()
    assert json.loads(shown["raw"]) == sent
    assert operator.get(address).json() == shown | {"raw": None}
    for client in (court, operator):
        page = client.get(QUARANTINE, params={"after": line["id"] - 1}).json()
        assert page["lines"] == [line]
    assert "raw" not in line


def test_a_line_that_stands_at_last_is_told_of_still_and_open_no_more(
    operator: httpx.Client, court: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    says.say(somebody.about("shield"), somebody.listed())
    [line] = last_lines(operator, 1)
    retry(court, line["id"])
    assert operator.get(f"{QUARANTINE}/{line['id']}").json() == line | {"raw": None}
    assert line not in last_lines(operator, 1000)


@pytest.mark.parametrize("line_id", ["0", "999999999", "-1", "x", "9" * 30, "1.5"])
def test_a_line_that_is_none_is_not_found(court: httpx.Client, line_id: str) -> None:
    problem(court.get(f"{QUARANTINE}/{line_id}"), 404, "not-found")


def test_a_retry_of_an_unknown_line_tries_none(
    court: httpx.Client, institution: httpx.Client, says: Court
) -> None:
    somebody = Stranger()
    says.say(somebody.about("shield"), somebody.listed())
    [line] = last_lines(court, 1)
    problem(court.post(RETRY, json={"ids": [line["id"], 999_999_999]}), 404, "not-found")
    assert outcome(institution, somebody.number) == "deny"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"ids": []}, "/ids"), ({"ids": ["1"]}, "/ids/0"), ({"id": 1}, "/id")],
)
def test_a_retry_that_is_none_is_refused(
    court: httpx.Client, body: dict[str, Any], pointer: str
) -> None:
    assert pointers(problem(court.post(RETRY, json=body), 400, "invalid-request")) == [pointer]


def test_all_open_lines_can_be_tried_at_once(
    court: httpx.Client, institution: httpx.Client, says: Court
) -> None:
    people = [Stranger() for _ in range(3)]
    says.say(*(each.about("shield") for each in people), *(each.listed() for each in people))
    response = court.post(RETRY, json={})
    assert response.status_code == 200, response.text
    assert response.json()["accepted"] >= len(people)
    assert {outcome(institution, each.number) for each in people} == {"allow"}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "after=x", "page=2"])
def test_a_page_that_is_none_is_refused(court: httpx.Client, query: str) -> None:
    problem(court.get(f"{QUARANTINE}?{query}"), 400, "invalid-request")
