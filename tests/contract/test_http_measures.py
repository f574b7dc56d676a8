"""The contract's sections 3, 3a and 3b, each cell through HTTP; and the list of measures."""

from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, codes, question
from tests.support.changing import Court, Stranger
from tests.support.measure_row import ALL, expected
from tests.support.measure_table import rows
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, INNOCENT, ROLES

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

TABLE = tuple(rows())
CASES = [(row, role) for row in TABLE for role in ALL]


@pytest.mark.parametrize("jurisdiction", ["CN", "440882"])
def test_every_cell_of_the_table_of_measures_holds(
    institution: httpx.Client, jurisdiction: str
) -> None:
    checks = [question(ROLES[role], row.service, jurisdiction=jurisdiction) for row, role in CASES]
    response = institution.post("/v1/checks/batch", json={"checks": checks})
    assert response.status_code == 200
    results = response.json()["results"]
    assert len(results) == len(CASES)
    wrong = [
        (row.service, role, got["decision"], codes(got))
        for (row, role), got in zip(CASES, map(filled, results), strict=True)
        if (got["decision"], codes(got)) != expected(row, role, jurisdiction)
        or {reason["role"] for reason in got["reasons"]} - {role}
    ]
    assert wrong == []


@pytest.mark.parametrize("jurisdiction", ["CN", "440882"])
def test_an_order_restricts_what_the_rule_on_consumption_names(
    institution: httpx.Client, court: httpx.Client, jurisdiction: str
) -> None:
    bound = Stranger()
    Court(court).do(bound.listed(kind="consumption_order"))
    checks = [question(bound.number, row.service, jurisdiction=jurisdiction) for row in TABLE]
    results = institution.post("/v1/checks/batch", json={"checks": checks}).json()["results"]
    Court(court).do(bound.about("delist", ground="fulfilled"))
    wrong = [
        (row.service, got["decision"], codes(got))
        for row, got in zip(TABLE, map(filled, results), strict=True)
        if (got["decision"], codes(got))
        != expected(row, "debtor", jurisdiction, is_entry=False, is_order=True)
    ]
    assert wrong == []
    kinds = {reason["listing"]["kind"] for got in results for reason in filled(got)["reasons"]}
    assert kinds == {"consumption_order"}


def test_every_alternative_of_the_table_is_allowed_when_it_is_asked_next(
    institution: httpx.Client,
) -> None:
    checks = [question(DEBTOR, row.service, jurisdiction="440882") for row in TABLE]
    results = institution.post("/v1/checks/batch", json={"checks": checks}).json()["results"]
    for got in results:
        assert ("alternatives" in got) is (got["decision"] == "deny")
    offered = [service for got in results for service in got.get("alternatives", ())]
    assert offered
    asked = [question(DEBTOR, service, jurisdiction="440882") for service in offered]
    answered = institution.post("/v1/checks/batch", json={"checks": asked}).json()["results"]
    assert {each["decision"] for each in answered} == {"allow"}


def test_an_innocent_may_buy_whatever_the_table_names(institution: httpx.Client) -> None:
    checks = [question(INNOCENT, row.service, jurisdiction="440882") for row in TABLE]
    results = institution.post("/v1/checks/batch", json={"checks": checks}).json()["results"]
    assert {result["decision"] for result in results} == {"allow"}
    assert not any(result.get("reasons") for result in results)


def test_the_measures_are_listed_with_source_section_and_titles(institution: httpx.Client) -> None:
    measures = institution.get("/v1/measures").json()["measures"]
    named = {
        measure
        for row in TABLE
        for place in ("CN", "440882")
        for _, measure in expected(row, "debtor", place, is_order=True)[1]
    }
    assert {measure["id"] for measure in measures} == named
    assert len(measures) == len(named)
    for measure in measures:
        policy = measure["id"].split("/")[0]
        is_rule = policy == "cn-spc-2015-17"
        assert set(measure["title"]) == {"zh", "en"}
        assert measure["section"].startswith("第三条" if is_rule else "二（")
        assert measure["source"]["title"]["zh"]
        assert measure["listing_kinds"] == ["consumption_order" if is_rule else "dishonest"]
        assert measure["jurisdiction"] == ("440882" if policy == "leizhou" else "CN")


def test_the_local_plan_names_the_authorities_responsible(institution: httpx.Client) -> None:
    measures = institution.get("/v1/measures").json()["measures"]
    named = {measure["id"] for measure in measures if measure["authorities"]}
    assert named == {measure["id"] for measure in measures if measure["jurisdiction"] == "440882"}


def test_the_county_next_door_is_judged_by_the_national_measures_alone(
    institution: httpx.Client,
) -> None:
    for place in ("CN", "44", "4408", "440881", "440000", "440800"):
        answer = ask(institution, DEBTOR, FLIGHT, jurisdiction=place)
        assert codes(answer) == [("restricted", "cn-2016-64/2.7.1")], place


@pytest.mark.parametrize(
    ("kind", "measures"),
    [
        ("nightclub", ["cn-2016-64/2.7.2"]),
        ("golf", ["cn-2016-64/2.7.2"]),
        ("star_hotel", ["leizhou/2.7.3"]),
        ("other", []),
    ],
)
def test_each_venue_in_leizhou_is_denied_by_the_document_that_names_it(
    institution: httpx.Client, kind: str, measures: list[str]
) -> None:
    answer = ask(institution, DEBTOR, {"type": "venue", "kind": kind}, jurisdiction="440882")
    assert [measure for _, measure in codes(answer)] == measures
    assert answer["decision"] == ("deny" if measures else "allow")


def test_the_national_measure_is_named_before_the_local_one(institution: httpx.Client) -> None:
    lodging = {"type": "lodging", "star_rating": 4}
    answer = ask(institution, DEBTOR, lodging, jurisdiction="440882")
    measures = [measure for _, measure in codes(answer)]
    assert measures == ["cn-2016-64/2.7.2", "leizhou/2.7.2"]


def test_a_key_with_a_jurisdiction_asks_there_unless_the_request_names_another(
    service: RunningService,
) -> None:
    star_hotel = {"type": "venue", "kind": "star_hotel"}
    with service.client(service.keys["leizhou"]) as client:
        assert ask(client, DEBTOR, star_hotel)["decision"] == "deny"
        assert ask(client, DEBTOR, star_hotel, jurisdiction="440881")["decision"] == "allow"
        subjects = [question(DEBTOR, star_hotel)["subject"]]
        shared = {"service": star_hotel, "subjects": subjects}
        [result] = client.post("/v1/checks/batch", json=shared).json()["results"]
    assert result["decision"] == "deny"


def filled(result: dict[str, Any]) -> dict[str, Any]:
    """A result of a batch may leave out what is null or empty."""
    return {"reasons": [], **result}
