"""The contract's section 3, every cell of it, through HTTP; and the list of measures."""

from typing import Any

import httpx
import pytest

from tests.contract.measure_table import ALL, Reached, Row, rows
from tests.support.asking import FLIGHT, ask, codes, question
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, INNOCENT, ROLES

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

TABLE = tuple(rows())
CAP_FEN = 200_000
CASES = [(row, role) for row in TABLE for role in ALL]


def expected(row: Row, role: str, jurisdiction: str) -> tuple[str, list[tuple[str, str]]]:
    """What the table says of a purchase by somebody of this role: decision and reasons."""
    policies: list[tuple[str, Reached | None]] = [("cn-2016-64", row.nation)]
    if jurisdiction == "440882":
        policies.append(("leizhou", row.leizhou))
    reasons = [
        (reached.code, f"{policy}/{reached.section}")
        for policy, reached in policies
        if reached is not None and role in reached.roles
    ]
    kinds = {code for code, _ in reasons}
    if "restricted" in kinds or ("capped" in kinds and row.service["amount_fen"] > CAP_FEN):
        return "deny", reasons
    return ("cap" if "capped" in kinds else "allow"), reasons


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


def test_an_innocent_may_buy_whatever_the_table_names(institution: httpx.Client) -> None:
    checks = [question(INNOCENT, row.service, jurisdiction="440882") for row in TABLE]
    results = institution.post("/v1/checks/batch", json={"checks": checks}).json()["results"]
    assert {result["decision"] for result in results} == {"allow"}
    assert not any(result.get("reasons") for result in results)


def test_the_measures_are_listed_with_source_section_and_titles(institution: httpx.Client) -> None:
    measures = institution.get("/v1/measures").json()["measures"]
    sections = {
        "cn-2016-64": "2.6.1 2.7.1 2.7.2 2.7.3 2.7.4 2.7.5 2.7.6",
        "leizhou": "2.6.1 2.7.1 2.7.2 2.7.3 2.7.4 2.7.5 2.7.6 2.7.7",
    }
    ids = [f"{policy}/{section}" for policy in sections for section in sections[policy].split()]
    assert [measure["id"] for measure in measures] == ids
    for measure in measures:
        assert set(measure["title"]) == {"zh", "en"}
        assert measure["section"].startswith("二（")
        assert measure["source"]["title"]["zh"]
        assert set(measure["roles"]) == set(ALL)
    assert {measure["jurisdiction"] for measure in measures} == {"CN", "440882"}


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
