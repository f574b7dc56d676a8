"""Corrections over HTTP: filed without a key or with one, seen by few, and in force when ruled."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from checker.domain.clock import SystemClock, shanghai_day
from tests.support.asking import FLIGHT, ask, pointers, problem
from tests.support.changing import Court, Stranger, ask_everywhere, outcome_everywhere
from tests.support.running_service import RunningService

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

CORRECTIONS = "/v1/corrections"
GROUND, CONTACT = "此案已结清，判决已撤销", "contact-of-the-person@example.com"
FAR = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture
def somebody(court: httpx.Client) -> Stranger:
    """Somebody listed whom no other test knows."""
    stranger = Stranger()
    Court(court).do(stranger.listed())
    return stranger


def filing(**more: Any) -> dict[str, Any]:
    return {"ground": GROUND, "contact": CONTACT} | more


def file(client: httpx.Client, **about: Any) -> dict[str, Any]:
    response = client.post(CORRECTIONS, json=filing(**about))
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{CORRECTIONS}/{told['id']}"
    return told


def rule(court: httpx.Client, correction_id: str, **ruling: Any) -> httpx.Response:
    return court.post(f"{CORRECTIONS}/{correction_id}/ruling", json=ruling)


def page_of(client: httpx.Client, status: str | None = None) -> list[dict[str, Any]]:
    """Read all corrections of a status, page by page."""
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        wanted = {"after": after, "limit": 7} | ({} if status is None else {"status": status})
        page = client.get(CORRECTIONS, params=wanted).json()
        assert len(page["corrections"]) <= 7
        found += page["corrections"]
        after = page["next"]
    return found


def test_whoever_is_listed_files_without_a_key_and_is_told_the_days(
    anyone: httpx.Client, somebody: Stranger
) -> None:
    told = file(anyone, listing_id=somebody.listing_id)
    assert set(told) == {"id", "received_on", "due_on", "due_basis", "provisional"}
    assert told["due_basis"] == "calendar_roll"
    assert told["provisional"] is (told["due_on"] > "2027")
    assert UUID(told["id"]).version == 4
    assert told["received_on"] == shanghai_day(SystemClock().now()).isoformat()
    assert told["due_on"] > told["received_on"]


def test_what_is_upheld_is_in_force_on_every_worker_when_the_answer_comes(
    service: RunningService, anyone: httpx.Client, court: httpx.Client, somebody: Stranger
) -> None:
    refusal = ask_everywhere(service, somebody.number)
    assert refusal["decision"] == "deny"
    filed = file(anyone, decision_id=refusal["id"])
    response = rule(court, filed["id"], ruling="upheld", note="查明属实")
    assert response.status_code == 200, response.text
    assert outcome_everywhere(service, somebody.number) == "allow"
    ruled = response.json()
    assert (ruled["status"], ruled["ruling"]) == ("ruled", "upheld")
    assert [(each["id"], each["delisted"]) for each in ruled["listings"]] == [
        (somebody.listing_id, True)
    ]
    assert ruled["version"] >= refusal["list"]["version"]


def test_what_is_rejected_still_refuses(
    institution: httpx.Client, court: httpx.Client, somebody: Stranger
) -> None:
    filed = file(institution, listing_id=somebody.listing_id)
    assert rule(court, filed["id"], ruling="rejected").status_code == 200
    assert ask(institution, somebody.number, FLIGHT)["decision"] == "deny"


@pytest.mark.parametrize("first", ["upheld", "rejected"])
@pytest.mark.parametrize("second", ["upheld", "rejected"])
def test_a_second_ruling_names_the_first(
    anyone: httpx.Client, court: httpx.Client, somebody: Stranger, first: str, second: str
) -> None:
    filed = file(anyone, listing_id=somebody.listing_id)
    ruled = rule(court, filed["id"], ruling=first).json()
    told = problem(rule(court, filed["id"], ruling=second), 409, "conflict")
    assert told["resolution"] == {"status": first, "at": ruled["ruled_at"]}


def test_who_has_the_id_sees_how_it_stands_and_only_who_rules_what_was_written(
    service: RunningService,
    anyone: httpx.Client,
    institution: httpx.Client,
    court: httpx.Client,
    operator: httpx.Client,
    somebody: Stranger,
) -> None:
    filed = file(anyone, listing_id=somebody.listing_id)
    address = f"{CORRECTIONS}/{filed['id']}"
    status = filed | {"status": "open", "ruling": None, "ruled_at": None}
    assert anyone.get(address).json() == institution.get(address).json() == status
    whole = court.get(address).json()
    assert operator.get(address).json() == whole
    assert (whole["ground"], whole["contact"], whole["note"]) == (GROUND, CONTACT, None)
    assert whole["account_id"] is None
    assert whole["late"]
    rule(court, filed["id"], ruling="rejected", note="查无此事")
    assert court.get(address).json()["note"] == "查无此事"
    told = anyone.get(address)
    assert (told.json()["status"], told.json()["ruling"]) == ("ruled", "rejected")
    assert "查无此事" not in told.text
    assert CONTACT not in service.log()


def test_pages_tell_which_are_open_and_which_are_ruled_on_and_nothing_that_was_written(
    anyone: httpx.Client, court: httpx.Client, operator: httpx.Client, somebody: Stranger
) -> None:
    waiting = file(anyone, listing_id=somebody.listing_id)["id"]
    ruled = file(anyone, listing_id=somebody.listing_id, contact="another contact")["id"]
    rule(court, ruled, ruling="rejected")
    by_status = {
        status: [each["id"] for each in page_of(operator, status)]
        for status in ("open", "ruled", "overdue", None)
    }
    assert waiting in by_status["open"]
    assert ruled in by_status["ruled"]
    assert {waiting, ruled}.isdisjoint(by_status["overdue"])
    assert by_status[None][-2:] == [waiting, ruled]
    told = court.get(CORRECTIONS, params={"limit": 1000}).text
    assert CONTACT not in told
    assert GROUND not in told


def test_the_same_filing_again_is_answered_with_the_first(
    anyone: httpx.Client, institution: httpx.Client, somebody: Stranger
) -> None:
    first = file(anyone, listing_id=somebody.listing_id)
    assert file(anyone, listing_id=somebody.listing_id) == first
    assert file(institution, listing_id=somebody.listing_id) != first


@pytest.mark.parametrize(
    "about",
    [
        *({"listing_id": each} for each in ("no-such-listing", "4", "x" * 100, "\0")),
        *({"decision_id": each} for each in (FAR, "x", "\0", "1" * 100)),
    ],
    ids=str,
)
def test_what_is_not_there_and_what_is_hidden_are_answered_alike(
    anyone: httpx.Client, institution: httpx.Client, about: dict[str, str]
) -> None:
    told = [
        problem(client.post(CORRECTIONS, json=filing(**about)), 404, "not-found")
        for client in (anyone, institution)
    ]
    known = problem(anyone.post(CORRECTIONS, json=filing(listing_id="nobody")), 404, "not-found")
    assert told == [known, known]


def test_another_institutions_decision_is_not_found(
    service: RunningService, institution: httpx.Client, somebody: Stranger
) -> None:
    decision_id = ask(institution, somebody.number, FLIGHT)["id"]
    with service.client(service.keys["leizhou"]) as other:
        response = other.post(CORRECTIONS, json=filing(decision_id=decision_id))
    problem(response, 404, "not-found")
    file(institution, decision_id=decision_id)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({}, "/listing_id"),
        ({"listing_id": "1", "decision_id": FAR}, "/listing_id"),
        ({"listing_id": ""}, "/listing_id"),
        ({"listing_id": "1" * 101}, "/listing_id"),
        ({"listing_id": 1}, "/listing_id"),
        ({"listing_id": "1", "ground": " \n"}, "/ground"),
        ({"listing_id": "1", "ground": "案" * 2_001}, "/ground"),
        ({"listing_id": "1", "contact": ""}, "/contact"),
        ({"listing_id": "1", "contact": "x" * 201}, "/contact"),
        ({"listing_id": "1", "contact": None}, "/contact"),
        ({"listing_id": "1", "name": "x"}, "/name"),
    ],
)
def test_a_filing_that_is_none_is_refused(
    anyone: httpx.Client, wrong: dict[str, Any], pointer: str
) -> None:
    response = anyone.post(CORRECTIONS, json=filing(**wrong))
    told = problem(response, 400, "invalid-request")
    assert pointers(told) == [pointer]
    assert CONTACT not in response.text


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'"\\ud800"', b'{"ground": '])
def test_a_body_that_is_no_filing_is_refused(anyone: httpx.Client, body: bytes) -> None:
    problem(anyone.post(CORRECTIONS, content=body), 400, "invalid-request")


def test_a_body_without_end_is_refused(anyone: httpx.Client) -> None:
    problem(anyone.post(CORRECTIONS, content=b" " * 40_000), 413, "too-large")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({}, "/ruling"),
        ({"ruling": "overdue"}, "/ruling"),
        ({"ruling": "upheld", "note": "x" * 2_001}, "/note"),
        ({"ruling": "upheld", "listing_ids": []}, "/listing_ids"),
        ({"ruling": "upheld", "listing_ids": ["2"]}, "/listing_ids"),
        ({"ruling": "rejected", "listing_ids": ["1"]}, "/listing_ids"),
    ],
)
def test_a_ruling_that_is_none_is_refused_and_nothing_is_ruled(
    anyone: httpx.Client,
    institution: httpx.Client,
    court: httpx.Client,
    wrong: dict[str, Any],
    pointer: str,
) -> None:
    filed = file(institution, listing_id="1", contact=str(wrong)[:100])
    assert pointers(problem(rule(court, filed["id"], **wrong), 400, "invalid-request")) == [pointer]
    assert anyone.get(f"{CORRECTIONS}/{filed['id']}").json()["status"] == "open"
    rule(court, filed["id"], ruling="rejected").raise_for_status()


def test_an_address_files_three_times_a_day_about_one_listing_and_a_key_files_on(
    anyone: httpx.Client, institution: httpx.Client, somebody: Stranger
) -> None:
    for contact in "123":
        file(anyone, listing_id=somebody.listing_id, contact=contact)
    refused = anyone.post(CORRECTIONS, json=filing(listing_id=somebody.listing_id, contact="4"))
    problem(refused, 429, "quota-exceeded")
    assert int(refused.headers["retry-after"]) > 0
    file(institution, listing_id=somebody.listing_id, contact="4")


@pytest.mark.parametrize("unknown", [FAR, "x", "1"])
def test_a_correction_that_is_none_is_not_found(
    anyone: httpx.Client, court: httpx.Client, unknown: str
) -> None:
    problem(anyone.get(f"{CORRECTIONS}/{unknown}"), 404, "not-found")
    problem(rule(court, unknown, ruling="upheld"), 404, "not-found")


@pytest.mark.parametrize("query", ["status=late", "limit=0", "limit=1001", "after=-1", "page=2"])
def test_a_page_of_corrections_that_is_none_is_refused(court: httpx.Client, query: str) -> None:
    problem(court.get(f"{CORRECTIONS}?{query}"), 400, "invalid-request")


def test_what_is_overdue_is_counted_for_operators(
    anyone: httpx.Client, operator: httpx.Client, somebody: Stranger
) -> None:
    file(anyone, listing_id=somebody.listing_id)
    assert operator.get("/v1/list").json()["overdue_corrections"] == 0
    metrics = anyone.get("/metrics").text
    assert "checker_corrections_overdue 0.0" in metrics
    [line] = [each for each in metrics.splitlines() if each.startswith("checker_corrections_open ")]
    assert float(line.split()[1]) >= 1
