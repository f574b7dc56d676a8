"""The court's dated exceptions: what they lift, for whom, when and how often; the reasons stay."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, ask, codes, question
from tests.support.changing import Court, Stranger, ask_everywhere, outcome, outcome_everywhere
from tests.support.running_service import RunningService
from tests.support.town import COURT, USCC, Line, document, listing, officer, person

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

HOTEL = {"type": "lodging", "star_rating": 4}
AIR_MEASURE = "cn-2016-64/2.7.1"


@pytest.fixture(scope="module")
def says(court: httpx.Client) -> Court:
    return Court(court)


@pytest.fixture
def stranger(says: Court) -> Stranger:
    """Somebody who is on the list."""
    somebody = Stranger()
    says.do(somebody.listed())
    return somebody


def withdrawal(stranger: Stranger, permit_id: str) -> Line:
    return {"op": "withdraw_permit", "permit_id": f"{permit_id}-{stranger.sequence}"}


def test_a_permit_lifts_its_services_and_the_reasons_stay(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.permit("P", valid_from="2026-01-01T00:00:00+08:00"))
    answer = ask_everywhere(service, stranger.number)
    assert answer["decision"] == "allow"
    assert codes(answer) == [("restricted", AIR_MEASURE)]
    assert answer["permit"] == {
        "id": f"P-{stranger.sequence}",
        "services": ["air"],
        "valid_from": "2025-12-31T16:00:00.000Z",
        "valid_until": "2098-12-31T16:00:00.000Z",
        "uses_left": None,
        "court": COURT,
        "ground": "就医",
        "kind": None,
    }
    for asked in (HOTEL, G_TRAIN):
        answer = ask_everywhere(service, stranger.number, asked)
        assert (answer["decision"], answer["permit"]) == ("deny", None)


def test_a_permit_that_was_withdrawn_lifts_nothing_and_does_not_come_back(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    granted = stranger.permit("P")
    says.do(granted, withdrawal(stranger, "P"))
    assert outcome_everywhere(service, stranger.number) == "deny"
    says.do(granted, withdrawal(stranger, "P"))
    assert outcome_everywhere(service, stranger.number) == "deny"


def test_a_permit_of_several_services_lifts_each_of_them(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.permit("P", services=["rail", "lodging"]))
    told = [outcome_everywhere(service, stranger.number, each) for each in (G_TRAIN, HOTEL, FLIGHT)]
    assert told == ["allow", "allow", "deny"]


def test_a_permit_holds_from_its_beginning_to_its_end(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    now = datetime.now(UTC)
    soon, ago = now + timedelta(hours=1), now - timedelta(hours=1)
    says.do(
        stranger.permit("over", valid_until=ago.isoformat()),
        stranger.permit("to come", valid_from=soon.isoformat()),
    )
    assert outcome_everywhere(service, stranger.number) == "deny"
    says.do(stranger.permit("now", valid_from=ago.isoformat(), valid_until=soon.isoformat()))
    assert outcome_everywhere(service, stranger.number) == "allow"


def test_a_permit_lifts_all_listings_of_its_person_in_every_role(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    company = {"type": "organization", "name": "示例公司", "documents": [document(USCC, "uscc")]}
    heads = [officer("principal", stranger.name, stranger.number)]
    listed = listing(f"of {stranger.listing_id}", company, officers=heads)
    says.do({"op": "list", "listing": listed}, stranger.permit("P"))
    answer = ask_everywhere(service, stranger.number)
    assert answer["decision"] == "allow"
    assert sorted(reason["role"] for reason in answer["reasons"]) == ["debtor", "principal"]


def test_a_permit_for_one_document_lifts_all_that_are_bound_to_it(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    passport = document(stranger.passport, "passport")
    says.do(
        {"op": "bind", "documents": [document(stranger.number), passport]},
        stranger.permit("P", document=passport),
    )
    assert outcome_everywhere(service, stranger.number) == "allow"
    assert outcome_everywhere(service, stranger.passport, kind="passport") == "allow"
    says.do(withdrawal(stranger, "P"))
    assert outcome_everywhere(service, stranger.number) == "deny"
    assert outcome_everywhere(service, stranger.passport, kind="passport") == "deny"


def test_a_permit_that_came_before_its_listing_lifts_it(
    service: RunningService, says: Court
) -> None:
    somebody = Stranger()
    says.do(somebody.permit("P"), somebody.listed())
    assert outcome_everywhere(service, somebody.number) == "allow"


def test_a_permit_for_somebody_who_is_not_listed_shows_nowhere(
    service: RunningService, says: Court
) -> None:
    somebody = Stranger()
    says.do(somebody.permit("P"))
    answer = ask_everywhere(service, somebody.number)
    assert (answer["decision"], answer["reasons"], answer["permit"]) == ("allow", [], None)


def test_a_permit_does_not_reach_a_namesake(service: RunningService, says: Court) -> None:
    permitted, namesake = Stranger(), Stranger()
    same_name = listing(namesake.listing_id, person(permitted.name, document(namesake.number)))
    says.do(permitted.listed(), {"op": "list", "listing": same_name}, permitted.permit("P"))
    assert outcome_everywhere(service, namesake.number, name=permitted.name) == "deny"


def test_a_counted_permit_is_used_once_for_each_order(
    service: RunningService, institution: httpx.Client, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.permit("P", uses=2))
    order: dict[str, Any] = {"reference": "ORDER-1"}
    answer = ask_everywhere(service, stranger.number, **order)
    assert answer["permit"]["uses_left"] == 1
    assert outcome(institution, stranger.number, reference="ORDER-2") == "allow"
    assert outcome(institution, stranger.number, reference="ORDER-3") == "deny"
    assert outcome_everywhere(service, stranger.number, **order) == "allow", "the same sale"


@pytest.mark.parametrize("reported", ["refused", "cancelled"])
def test_a_use_that_was_refused_or_cancelled_is_given_back_once(
    institution: httpx.Client, says: Court, stranger: Stranger, reported: str
) -> None:
    says.do(stranger.permit("P", uses=1, kind="necessity"))
    first = ask(institution, stranger.number, FLIGHT, reference="ORDER-1")
    assert (first["permit"]["uses_left"], first["permit"]["kind"]) == (0, "necessity")
    assert outcome(institution, stranger.number, reference="ORDER-2") == "deny"
    for _ in range(2):
        address = f"/v1/checks/{first['id']}/outcomes"
        assert institution.post(address, json={"outcome": reported}).status_code == 201
        assert outcome(institution, stranger.number, reference="ORDER-2") == "allow"
        assert outcome(institution, stranger.number, reference="ORDER-3") == "deny"


def test_what_a_permit_does_not_cover_uses_nothing_of_it(
    institution: httpx.Client, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.permit("P", uses=1))
    assert [outcome(institution, stranger.number, HOTEL) for _ in range(3)] == ["deny"] * 3
    assert ask(institution, stranger.number, FLIGHT)["permit"]["uses_left"] == 0
    assert outcome(institution, stranger.number) == "deny"


def test_sales_at_the_same_time_use_no_more_than_the_court_allowed(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.permit("P", uses=3))

    def buy(_index: int) -> str:
        with service.client(service.keys["institution"]) as client:
            return outcome(client, stranger.number)

    with ThreadPoolExecutor(4) as sellers:
        told = list(sellers.map(buy, range(12)))
    assert (told.count("allow"), told.count("deny")) == (3, 9)


def in_one_batch(client: httpx.Client, number: str) -> list[dict[str, Any]]:
    subjects = [question(number, FLIGHT)["subject"]] * 3
    body = {"service": FLIGHT, "subjects": subjects}
    response = client.post("/v1/checks/batch", json=body)
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def of_several_checks(client: httpx.Client, number: str) -> list[dict[str, Any]]:
    body = {"checks": [question(number, FLIGHT)] * 3}
    results: list[dict[str, Any]] = client.post("/v1/checks/batch", json=body).json()["results"]
    return results


@pytest.mark.parametrize("send", [in_one_batch, of_several_checks])
def test_each_item_of_a_batch_uses_a_counted_permit(
    institution: httpx.Client,
    says: Court,
    stranger: Stranger,
    send: Callable[[httpx.Client, str], list[dict[str, Any]]],
) -> None:
    says.do(stranger.permit("P", uses=2))
    results = send(institution, stranger.number)
    assert [each["decision"] for each in results] == ["allow", "allow", "deny"]
    assert [each["permit"]["uses_left"] for each in results[:2]] == [1, 0]
    assert all(codes(each) == [("restricted", AIR_MEASURE)] for each in results)
