"""Spending under the cap over HTTP: what merchants order, and what they are told."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.support.asking import ask, pointers, problem, question
from tests.support.changing import CHANGES, Stranger
from tests.support.running_service import RunningService, run_command, wait_until
from tests.support.spending import (
    AUTHORIZATIONS,
    CAP_FEN,
    hold,
    keyed,
    listed_stranger,
    look,
    order,
    resort,
)
from tests.support.town import (
    INNOCENT,
    MASKED,
    MASKED_NAME,
    ORG_CODE,
    ROLES,
    USCC,
    document,
    ndjson,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]


@pytest.fixture
def debtor(town: object, court: httpx.Client) -> Stranger:
    return listed_stranger(court)


@pytest.fixture
def other(service: RunningService) -> Iterator[httpx.Client]:
    """A merchant with an account of its own."""
    with service.client(service.keys["leizhou"]) as client:
        yield client


def test_a_hold_is_answered_as_the_contract_says(
    institution: httpx.Client, debtor: Stranger
) -> None:
    response = hold(institution, debtor.number, 50_000, reference="STAY-1")
    assert response.status_code == 201, response.text
    told = response.json()
    spending = told["spending"]
    assert (told["status"], told["amount_fen"], told["reference"]) == ("held", 50_000, "STAY-1")
    assert spending.pop("resets_at")
    assert spending == {
        "limit_fen": CAP_FEN,
        "held_fen": 50_000,
        "captured_fen": 0,
        "remaining_fen": CAP_FEN - 50_000,
        "period": "month",
    }
    lasts = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert 6.9 < lasts.total_seconds() / 86_400 <= 7


def test_a_hold_is_captured_and_partly_given_back(
    institution: httpx.Client, debtor: Stranger
) -> None:
    held = hold(institution, debtor.number, 50_000).json()["id"]
    captured = order(institution, f"{held}/capture", amount_fen=40_000)
    assert (captured.status_code, captured.json()["status"]) == (200, "captured")
    refunded = order(institution, f"{held}/refund", amount_fen=15_000).json()
    assert (refunded["captured_fen"], refunded["refunded_fen"]) == (40_000, 15_000)
    assert look(institution, held)["refunded_fen"] == 15_000
    spending = ask(institution, debtor.number, resort(1))["spending"]
    assert (spending["held_fen"], spending["captured_fen"]) == (0, 25_000)


def test_a_check_tells_what_is_held_elsewhere_and_refuses_what_has_no_room(
    institution: httpx.Client, other: httpx.Client, debtor: Stranger
) -> None:
    hold(other, debtor.number, 150_000).raise_for_status()
    answer = ask(institution, debtor.number, resort(50_000))
    assert (answer["decision"], answer["spending"]["held_fen"]) == ("cap", 150_000)
    refused = ask(institution, debtor.number, resort(50_001))
    assert (refused["decision"], refused["spending"]["remaining_fen"]) == ("deny", 50_000)
    [first, second] = institution.post(
        "/v1/checks/batch",
        json={"checks": [question(debtor.number, resort(each)) for each in (50_000, 50_001)]},
    ).json()["results"]
    assert (first["decision"], second["decision"]) == ("cap", "deny")


def test_past_the_cap_nothing_is_held_and_the_room_is_told(
    institution: httpx.Client, other: httpx.Client, debtor: Stranger
) -> None:
    hold(institution, debtor.number, CAP_FEN - 1).raise_for_status()
    told = problem(hold(other, debtor.number, 2), 409, "cap-exceeded")
    assert (told["spending"]["held_fen"], told["spending"]["remaining_fen"]) == (CAP_FEN - 1, 1)


@pytest.mark.parametrize("amount_fen", [1, 10**12])
def test_of_whom_no_cap_binds_nothing_is_held(institution: httpx.Client, amount_fen: int) -> None:
    response = hold(institution, INNOCENT, amount_fen)
    assert response.status_code == 200
    assert response.json() == {"id": None, "status": "uncapped"}


def test_who_may_be_somebody_else_is_not_capped_but_looked_at(institution: httpx.Client) -> None:
    body = question(MASKED, resort(10**12), name=MASKED_NAME)
    response = institution.post(AUTHORIZATIONS, json=body, headers=keyed())
    told = response.json()
    assert (response.status_code, told["id"], told["status"]) == (200, None, "uncapped")
    assert told["decision"] == "review"


def test_whoever_is_delisted_spends_freely_and_may_be_captured_from(
    institution: httpx.Client, court: httpx.Client, debtor: Stranger
) -> None:
    held = hold(institution, debtor.number, 1_000).json()["id"]
    line = debtor.about("delist", ground="fulfilled", on="2026-01-02")
    assert court.post(CHANGES, content=ndjson([line])).json()["accepted"] == 1
    assert hold(institution, debtor.number, 10**12).json()["status"] == "uncapped"
    assert order(institution, f"{held}/capture", amount_fen=1_000).json()["status"] == "captured"


def test_documents_bound_after_both_have_spent_count_together(
    institution: httpx.Client, court: httpx.Client, debtor: Stranger
) -> None:
    second = listed_stranger(court)
    for each in (debtor, second):
        hold(institution, each.number, 150_000).raise_for_status()
    bound = {"op": "bind", "documents": [document(debtor.number), document(second.number)]}
    assert court.post(CHANGES, content=ndjson([bound])).json()["accepted"] == 1
    for each in (debtor, second):
        told = problem(hold(institution, each.number, 1), 409, "cap-exceeded")
        assert told["spending"]["held_fen"] == 300_000
        assert told["spending"]["remaining_fen"] == 0
        assert ask(institution, each.number, resort(1))["spending"]["held_fen"] == 300_000


def test_a_company_counts_by_its_number_in_either_form(institution: httpx.Client) -> None:
    by = {"uscc": USCC, "org_code": ORG_CODE}
    before = ask(institution, USCC, resort(1), kind="uscc")["spending"]["held_fen"]
    for kind, number in by.items():
        body = question(number, resort(100), kind=kind)
        institution.post(AUTHORIZATIONS, json=body, headers=keyed()).raise_for_status()
    told = ask(institution, ORG_CODE, resort(1), kind="org_code")["spending"]
    assert told["held_fen"] == before + 200


@pytest.mark.parametrize("role", [each for each in ROLES if each != "debtor"])
def test_no_officer_is_capped(institution: httpx.Client, role: str) -> None:
    assert hold(institution, ROLES[role], 10**12).json() == {"id": None, "status": "uncapped"}


def test_a_stay_grows(institution: httpx.Client, debtor: Stranger) -> None:
    held = hold(institution, debtor.number, 1_000).json()
    grown = order(institution, f"{held['id']}/increment", amount_fen=500).json()
    assert (grown["amount_fen"], grown["spending"]["held_fen"]) == (1_500, 1_500)
    too_much = order(institution, f"{held['id']}/increment", amount_fen=CAP_FEN)
    problem(too_much, 409, "cap-exceeded")


def test_a_second_resolution_names_the_first(institution: httpx.Client, debtor: Stranger) -> None:
    held = hold(institution, debtor.number, 1_000).json()["id"]
    assert order(institution, f"{held}/void").json()["status"] == "voided"
    told = problem(order(institution, f"{held}/capture", amount_fen=1), 409, "conflict")
    assert (told["resolution"]["status"], told["resolution"]["amount_fen"]) == ("voided", 1_000)


def test_a_hold_that_nobody_captures_ends_by_itself(
    institution: httpx.Client, debtor: Stranger
) -> None:
    held = hold(institution, debtor.number, CAP_FEN, hold_seconds=1).json()["id"]
    wait_until(lambda: look(institution, held)["status"] == "expired")
    told = problem(order(institution, f"{held}/capture", amount_fen=1), 409, "conflict")
    assert told["resolution"]["status"] == "expired"
    assert hold(institution, debtor.number, CAP_FEN).status_code == 201


def test_a_request_said_again_gets_the_first_answer(
    institution: httpx.Client, debtor: Stranger
) -> None:
    first, again = (
        hold(institution, debtor.number, 150_000, key=f"again-{debtor.sequence}") for _ in "ab"
    )
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    reused = hold(institution, debtor.number, 150_001, key=f"again-{debtor.sequence}")
    problem(reused, 422, "idempotency-key-reused")
    refused = [
        hold(institution, debtor.number, 150_000, key=f"refused-{debtor.sequence}") for _ in "ab"
    ]
    assert problem(refused[0], 409, "cap-exceeded") == problem(refused[1], 409, "cap-exceeded")


def test_what_another_merchant_holds_is_not_found(
    institution: httpx.Client, other: httpx.Client, debtor: Stranger
) -> None:
    held = hold(institution, debtor.number, 1_000).json()["id"]
    problem(other.get(f"{AUTHORIZATIONS}/{held}"), 404, "not-found")
    for move in ("capture", "refund", "increment"):
        problem(order(other, f"{held}/{move}", amount_fen=1), 404, "not-found")
    problem(order(other, f"{held}/void"), 404, "not-found")
    assert look(institution, held)["status"] == "held"


@pytest.mark.parametrize("identity", ["x", "0", "01939c5e-0000-7000-8000-000000000000", "%00"])
def test_what_nobody_holds_is_not_found(institution: httpx.Client, identity: str) -> None:
    problem(institution.get(f"{AUTHORIZATIONS}/{identity}"), 404, "not-found")
    problem(order(institution, f"{identity}/capture", amount_fen=1), 404, "not-found")


@pytest.mark.parametrize("amount_fen", [0, -1, 1.5, 1.0, 10**12 + 1, 2**63, "1", None, True])
def test_an_amount_that_is_none_is_refused(
    institution: httpx.Client, debtor: Stranger, amount_fen: object
) -> None:
    body = question(debtor.number, resort(amount_fen))
    response = institution.post(AUTHORIZATIONS, json=body, headers=keyed())
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/amount_fen"]
    held = hold(institution, debtor.number, 1_000).json()["id"]
    for move in ("capture", "refund", "increment"):
        response = order(institution, f"{held}/{move}", amount_fen=amount_fen)
        assert pointers(problem(response, 400, "invalid-request")) == ["/amount_fen"]
    assert look(institution, held)["status"] == "held"


@pytest.mark.parametrize("hold_seconds", [0, -1, 31 * 86_400 + 1, 1.5, "1"])
def test_a_hold_lasts_at_least_a_second_and_at_most_a_month(
    institution: httpx.Client, debtor: Stranger, hold_seconds: object
) -> None:
    body = {**question(debtor.number, resort(1)), "hold_seconds": hold_seconds}
    response = institution.post(AUTHORIZATIONS, json=body, headers=keyed())
    assert pointers(problem(response, 400, "invalid-request")) == ["/hold_seconds"]


@pytest.mark.parametrize("key", [None, "", "k" * 256])
@pytest.mark.parametrize("move", ["", "/x/capture", "/x/void", "/x/refund", "/x/increment"])
def test_an_order_without_a_good_key_is_refused(
    institution: httpx.Client, debtor: Stranger, key: str | None, move: str
) -> None:
    headers = {} if key is None else {"idempotency-key": key}
    body = {"amount_fen": 1} if move else question(debtor.number, resort(1))
    response = institution.post(f"{AUTHORIZATIONS}{move}", json=body, headers=headers)
    problem(response, 400, "invalid-request")


def test_a_key_may_have_255_characters(institution: httpx.Client, debtor: Stranger) -> None:
    key = f"{debtor.sequence:0>255}"
    assert hold(institution, debtor.number, 1, key=key).status_code == 201
    assert hold(institution, debtor.number, 1, key=key).status_code == 201
    assert ask(institution, debtor.number, resort(1))["spending"]["held_fen"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
@pytest.mark.parametrize("move", ["", "/x/capture", "/x/refund", "/x/increment"])
def test_an_order_without_a_good_body_is_refused(
    institution: httpx.Client, body: bytes, move: str
) -> None:
    response = institution.post(f"{AUTHORIZATIONS}{move}", content=body, headers=keyed())
    problem(response, 400, "invalid-request")


def test_only_resorts_have_a_cap(institution: httpx.Client, debtor: Stranger) -> None:
    body = question(debtor.number, {"type": "air", "flight": "CZ3101"})
    response = institution.post(AUTHORIZATIONS, json=body, headers=keyed())
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/type"]


def test_a_key_of_another_scope_may_not_spend(service: RunningService, debtor: Stranger) -> None:
    with service.client(service.keys["rail only"]) as client:
        problem(hold(client, debtor.number, 1), 403, "out-of-scope")


def test_the_record_verifies(
    service: RunningService, institution: httpx.Client, debtor: Stranger
) -> None:
    hold(institution, debtor.number, 1).raise_for_status()
    told = run_command(service.data_dir, "audit", "verify")
    assert told.returncode == 0, told.stderr
    assert told.stdout.endswith(" steps, 0 faults\n")
