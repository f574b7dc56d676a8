"""Batches: both forms, order, what is wrong with one item, limits."""

from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, SLOW_TRAIN, pointers, problem, question
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, LEGAL_REPRESENTATIVE, OTHER_NAME

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

ITEMS_MAX = 10_000


def subject(number: str, name: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = question(number, G_TRAIN, name=name)["subject"]
    return found


def post(client: httpx.Client, batch: Any) -> list[dict[str, Any]]:
    response = client.post("/v1/checks/batch", json=batch)
    assert response.status_code == 200, response.text
    told = response.json()
    assert set(told) == {"list", "results"}
    assert set(told["list"]) == {"version", "history", "as_of", "stale"}
    results: list[dict[str, Any]] = told["results"]
    return results


def test_checks_are_answered_in_their_order_with_their_references(
    institution: httpx.Client,
) -> None:
    asked = [
        (DEBTOR, G_TRAIN, "deny"),
        (INNOCENT, G_TRAIN, "allow"),
        (LEGAL_REPRESENTATIVE, FLIGHT, "deny"),
        (DEBTOR, SLOW_TRAIN, "allow"),
    ]
    checks = [
        question(number, service, reference=f"ORDER-{place}")
        for place, (number, service, _) in enumerate(asked)
    ]
    results = post(institution, {"checks": checks})
    assert [result["decision"] for result in results] == [wanted for _, _, wanted in asked]
    assert [result["reference"] for result in results] == [f"ORDER-{n}" for n in range(4)]
    assert len({result["id"] for result in results}) == 4


def test_one_service_is_asked_for_many_subjects(institution: httpx.Client) -> None:
    subjects = [
        subject(INNOCENT),
        subject(DEBTOR, DEBTOR_NAME),
        subject(DEBTOR, OTHER_NAME),
        subject(LEGAL_REPRESENTATIVE),
    ]
    results = post(institution, {"service": G_TRAIN, "subjects": subjects})
    assert [result["decision"] for result in results] == ["allow", "deny", "review", "deny"]


def test_the_shared_jurisdiction_holds_for_every_subject(institution: httpx.Client) -> None:
    venue = {"type": "venue", "kind": "star_hotel"}
    batch = {"service": venue, "subjects": [subject(DEBTOR), subject(INNOCENT)]}
    here = post(institution, {**batch, "jurisdiction": "440882"})
    assert [result["decision"] for result in here] == ["deny", "allow"]
    elsewhere = post(institution, {**batch, "jurisdiction": "440881"})
    assert [result["decision"] for result in elsewhere] == ["allow", "allow"]


def test_a_bad_item_is_told_in_its_place_and_spoils_nothing(institution: httpx.Client) -> None:
    good = question(DEBTOR, G_TRAIN)
    bad: list[Any] = [
        {**good, "extra": 1},
        None,
        [],
        1,
        {},
        question("1234", G_TRAIN),
        question(DEBTOR, {"type": "rail", "train": "G79"}),
        {**good, "jurisdiction": "99"},
    ]
    checks = [one for item in bad for one in (good, item)] + [good]
    results = post(institution, {"checks": checks})
    assert [result.get("decision") for result in results] == ["deny", None] * len(bad) + ["deny"]
    wrong = [result["error"] for result in results[1::2]]
    statuses = [error["status"] for error in wrong]
    assert statuses == [400, 400, 400, 400, 400, 422, 400, 400]
    assert [pointers(error)[0] for error in wrong] == [
        "/extra",
        "",
        "",
        "",
        "/subject",
        "/subject/document/number",
        "/service/seat",
        "/jurisdiction",
    ]


def test_a_bad_subject_is_told_in_its_place(institution: httpx.Client) -> None:
    subjects = [subject("1234"), subject(DEBTOR), {"name": "x"}, subject(INNOCENT, " ")]
    results = post(institution, {"service": G_TRAIN, "subjects": subjects})
    assert results[1]["decision"] == "deny"
    wrong = [results[place]["error"] for place in (0, 2, 3)]
    assert [pointers(error)[0] for error in wrong] == ["/document/number", "/document", "/name"]


def test_a_shared_service_at_fault_refuses_the_whole_batch(institution: httpx.Client) -> None:
    subjects = [subject(DEBTOR)]
    for batch, pointer in (
        ({"service": {"type": "rail", "train": "G79"}, "subjects": subjects}, "/service/seat"),
        ({"service": G_TRAIN, "jurisdiction": "99", "subjects": subjects}, "/jurisdiction"),
        ({"service": G_TRAIN, "subjects": None}, "/subjects"),
        ({"service": G_TRAIN}, "/subjects"),
        ({"subjects": subjects}, "/service"),
        ({"checks": {}}, "/checks"),
        ({"checks": [], "subjects": []}, "/subjects"),
        ({"checks": [], "service": G_TRAIN}, "/service"),
    ):
        response = institution.post("/v1/checks/batch", json=batch)
        assert pointers(problem(response, 400, "invalid-request")) == [pointer]


def test_an_item_out_of_scope_is_told_in_its_place(service: RunningService) -> None:
    with service.client(service.keys["rail only"]) as client:
        checks = [question(DEBTOR, FLIGHT), question(DEBTOR, G_TRAIN)]
        results = post(client, {"checks": checks})
    assert results[0]["error"]["code"] == "out-of-scope"
    assert results[1]["decision"] == "deny"


def test_a_shared_service_out_of_scope_refuses_the_whole_batch(service: RunningService) -> None:
    batch = {"service": FLIGHT, "subjects": [subject(DEBTOR)]}
    with service.client(service.keys["rail only"]) as client:
        problem(client.post("/v1/checks/batch", json=batch), 403, "out-of-scope")


def test_ten_thousand_items_are_answered(institution: httpx.Client) -> None:
    checks = [question(INNOCENT, G_TRAIN)] * (ITEMS_MAX - 1) + [question(DEBTOR, G_TRAIN)]
    results = post(institution, {"checks": checks})
    assert [result["decision"] for result in results[-2:]] == ["allow", "deny"]
    assert len(results) == ITEMS_MAX


@pytest.mark.parametrize(
    "batch",
    [
        {"checks": [question(INNOCENT, G_TRAIN)] * (ITEMS_MAX + 1)},
        {"service": G_TRAIN, "subjects": [subject(INNOCENT)] * (ITEMS_MAX + 1)},
    ],
    ids=["checks", "subjects"],
)
def test_one_item_more_is_too_large(institution: httpx.Client, batch: dict[str, Any]) -> None:
    problem(institution.post("/v1/checks/batch", json=batch), 413, "too-large")


def test_a_batch_of_nothing_is_answered_with_nothing(institution: httpx.Client) -> None:
    assert post(institution, {"checks": []}) == []
    assert post(institution, {"service": G_TRAIN, "subjects": []}) == []


def test_an_answer_of_a_batch_leaves_out_what_is_null(institution: httpx.Client) -> None:
    [allowed] = post(institution, {"checks": [question(INNOCENT, G_TRAIN)]})
    assert set(allowed) <= {"id", "decision", "reasons", "permit", "spending", "reference"}
    assert None not in allowed.values()


def test_a_capped_item_tells_its_spending(institution: httpx.Client) -> None:
    resort = {"type": "resort", "venue": "rated_resort", "amount_fen": 200_001}
    [result] = post(institution, {"checks": [question(DEBTOR, resort)]})
    assert (result["decision"], result["spending"]["remaining_fen"]) == ("deny", 200_000)


def booking(client: httpx.Client, batch: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Send a batch as one booking; gives the verdict and the results."""
    response = client.post("/v1/checks/batch", json=batch | {"order": True})
    assert response.status_code == 200, response.text
    told = response.json()
    return told["order"], told["results"]


def test_a_booking_names_who_stands_in_the_way_and_changes_no_answer(
    institution: httpx.Client,
) -> None:
    family = [subject(INNOCENT), subject(DEBTOR), subject("1"), subject(DEBTOR, OTHER_NAME)]
    batch = {"service": G_TRAIN, "jurisdiction": "440882", "subjects": family}
    verdict, results = booking(institution, batch)
    assert verdict == {"decision": "deny", "blocking": [1, 2, 3]}
    alone = post(institution, batch)
    assert [each.get("decision") for each in results] == [each.get("decision") for each in alone]
    assert [each.get("decision") for each in results] == ["allow", "deny", None, "review"]


def test_a_booking_of_innocents_has_nobody_in_its_way(institution: httpx.Client) -> None:
    checks = [question(INNOCENT, FLIGHT), question(DEBTOR, SLOW_TRAIN)]
    verdict, _ = booking(institution, {"checks": checks})
    assert verdict == {"decision": "allow", "blocking": []}


@pytest.mark.parametrize("order", [None, 1, "true", [], {}])
def test_an_order_is_true_or_false(institution: httpx.Client, order: Any) -> None:
    for batch in ({"checks": []}, {"service": FLIGHT, "subjects": []}):
        response = institution.post("/v1/checks/batch", json=batch | {"order": order})
        assert pointers(problem(response, 400, "invalid-request")) == ["/order"]
