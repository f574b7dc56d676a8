"""What is kept of adverse answers: outcomes, explanations, the log, the month."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from checker.audit.outcomes import REPORTS_MAX
from checker.config import load_config
from checker.node.servers import open_servers
from tests.support.asking import FLIGHT, G_TRAIN, ask, pointers, problem, question
from tests.support.changing import Court, Stranger
from tests.support.running_service import RunningService, run_command, wait_until
from tests.support.town import DEBTOR, HIDDEN, INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]


@pytest.fixture(scope="module")
def auditor(service: RunningService) -> Any:
    with service.client(service.keys["auditor"]) as client:
        yield client


@pytest.fixture
def denied(institution: httpx.Client) -> str:
    told: str = ask(institution, DEBTOR, G_TRAIN)["id"]
    return told


def report(client: httpx.Client, decision_id: str, **body: Any) -> httpx.Response:
    return client.post(f"/v1/checks/{decision_id}/outcomes", json=body)


def explain(client: httpx.Client, decision_id: str) -> dict[str, Any]:
    response = client.get(f"/v1/decisions/{decision_id}")
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


@pytest.mark.parametrize("outcome", ["refused", "sold", "cancelled", "overridden"])
def test_an_outcome_is_reported_and_told_with_the_decision(
    institution: httpx.Client, denied: str, outcome: str
) -> None:
    response = report(institution, denied, outcome=outcome, note="旅客改乘 K511")
    assert response.status_code == 201
    told = response.json()
    assert (told["outcome"], told["note"]) == (outcome, "旅客改乘 K511")
    assert [each["outcome"] for each in explain(institution, denied)["outcomes"]] == [outcome]


def test_a_second_different_outcome_is_appended(institution: httpx.Client, denied: str) -> None:
    for outcome in ("refused", "refused", "overridden"):
        assert report(institution, denied, outcome=outcome).status_code == 201
    told = [each["outcome"] for each in explain(institution, denied)["outcomes"]]
    assert told == ["refused", "overridden"]


def test_every_item_of_a_batch_that_is_kept_has_an_outcome(institution: httpx.Client) -> None:
    checks = [question(number, FLIGHT) for number in (DEBTOR, INNOCENT, HIDDEN)]
    results = institution.post("/v1/checks/batch", json={"checks": checks}).json()["results"]
    told = [report(institution, each["id"], outcome="refused").status_code for each in results]
    assert told == [201, 404, 201]


def test_a_plain_allow_another_accounts_decision_and_no_id_are_not_there(
    service: RunningService, institution: httpx.Client, denied: str
) -> None:
    allowed = ask(institution, INNOCENT, FLIGHT)["id"]
    for decision_id in (allowed, str(uuid4()), "no-id", "1"):
        problem(report(institution, decision_id, outcome="sold"), 404, "not-found")
        problem(institution.get(f"/v1/decisions/{decision_id}"), 404, "not-found")
    with service.client(service.keys["leizhou"]) as other:
        problem(report(other, denied, outcome="sold"), 404, "not-found")
        problem(other.get(f"/v1/decisions/{denied}"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"outcome": "lost"}, "/outcome"),
        ({"outcome": "sold", "note": ""}, "/note"),
        ({"outcome": "sold", "note": "x" * 1001}, "/note"),
        ({"outcome": "sold", "notes": "x"}, ""),
    ],
)
def test_an_outcome_that_is_none_is_refused_by_its_field(
    institution: httpx.Client, denied: str, body: dict[str, Any], pointer: str
) -> None:
    told = problem(report(institution, denied, **body), 400, "invalid-request")
    assert [found.startswith(pointer) for found in pointers(told)] == [True]


def test_a_decision_is_explained_in_both_languages_with_the_list_of_then(
    institution: httpx.Client, denied: str
) -> None:
    told = explain(institution, denied)
    [why] = told["reasons"]
    assert told["decision"] == "deny"
    assert (why["measure"], why["section"]) == ("cn-2016-64/2.7.1", "二（七）1")
    assert "二（七）1" in why["text"]["zh"]
    assert told["list"]["version"] >= 1
    assert len(told["policy"]) == 64


def test_an_auditor_sees_every_decision_and_every_listing(
    institution: httpx.Client, auditor: httpx.Client
) -> None:
    answer = ask(institution, HIDDEN, FLIGHT)
    assert answer["reasons"][0]["listing"] is None
    assert explain(institution, answer["id"])["reasons"][0]["listing"] is None
    assert explain(auditor, answer["id"])["reasons"][0]["listing"]["id"]


def test_the_log_is_exported_as_ndjson_and_csv(
    institution: httpx.Client, auditor: httpx.Client, denied: str
) -> None:
    report(institution, denied, outcome="refused")
    wait_until(lambda: explain(institution, denied)["chain"] is not None)
    since = explain(institution, denied)["at"]
    response = auditor.get("/v1/decisions/export", params={"from": since})
    assert response.headers["content-type"] == "application/x-ndjson"
    rows = {row["id"]: row for row in map(json.loads, response.text.splitlines())}
    row = rows[denied]
    assert (row["account"], row["decision"], row["outcomes"]) == (
        "institution",
        "deny",
        ["refused"],
    )
    explained = explain(institution, denied)
    assert row["list_version"] == explained["list"]["version"]
    assert {"number": row["number"], "digest": row["digest"]} == explained["chain"]
    assert (row["measures"], row["roles"]) == (["cn-2016-64/2.7.1"], ["debtor"])
    asked = {"from": since, "format": "csv", "account": row["account_id"]}
    response = auditor.get("/v1/decisions/export", params=asked)
    assert response.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(response.text)))
    assert denied in {each["id"] for each in table}
    assert set(table[0]) == set(row)


def test_an_export_of_nothing_is_empty(auditor: httpx.Client) -> None:
    response = auditor.get("/v1/decisions/export", params={"from": "2099-01-01"})
    assert (response.status_code, response.text) == (200, "")


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "yesterday"},
        {"to": "2026-13-01"},
        {"format": "xml"},
        {"until": "2026-01-01"},
        {"account": "\0"},
    ],
)
def test_an_export_of_what_is_no_time_or_format_is_refused(
    auditor: httpx.Client, parameters: dict[str, str]
) -> None:
    response = auditor.get("/v1/decisions/export", params=parameters)
    problem(response, 400, "invalid-request")


def test_a_month_counts_innocents_too(institution: httpx.Client, operator: httpx.Client) -> None:
    def mine() -> dict[str, Any]:
        told = operator.get("/v1/reports").json()
        [found] = [each for each in told["institutions"] if each["account"] == "institution"]
        assert told["month"] == f"{told['month'][:7]}-01"
        return dict(found)

    ask(institution, DEBTOR, G_TRAIN)
    # Each process adds what it has counted every few seconds.
    wait_until(lambda: mine()["checks"] >= mine()["denied"] > 0)
    before = mine()
    ask(institution, INNOCENT, G_TRAIN)
    wait_until(lambda: mine()["checks"] > before["checks"])
    assert mine()["denied"] == before["denied"]
    assert {each["measure"] for each in before["measures"]} >= {"cn-2016-64/2.7.1"}


@pytest.mark.parametrize(
    "month", ["2026", "2026-13", "november", "2026-11-01", "0001-01", "9999-12"]
)
def test_what_is_no_month_has_no_report(operator: httpx.Client, month: str) -> None:
    response = operator.get("/v1/reports", params={"month": month})
    problem(response, 400, "invalid-request")


def test_more_outcomes_than_a_sale_can_have_are_refused(
    institution: httpx.Client, denied: str
) -> None:
    turns = ["refused", "sold"] * (REPORTS_MAX // 2)
    assert {report(institution, denied, outcome=each).status_code for each in turns} == {201}
    problem(report(institution, denied, outcome="cancelled"), 409, "conflict")
    assert report(institution, denied, outcome="sold").status_code == 201  # said before


def test_an_allow_by_permit_has_outcomes_and_an_explanation(
    institution: httpx.Client, court: httpx.Client
) -> None:
    stranger = Stranger()
    Court(court).do(stranger.listed(), stranger.permit("EXPLAINED"))
    answer = ask(institution, stranger.number, FLIGHT)
    assert report(institution, answer["id"], outcome="sold").status_code == 201
    told = explain(institution, answer["id"])
    assert (told["decision"], told["permit_id"]) == ("allow", answer["permit"]["id"])
    assert answer["permit"]["id"] in told["text"]["zh"]
    assert [each["code"] for each in told["reasons"]] == ["restricted"]
    assert [each["outcome"] for each in told["outcomes"]] == ["sold"]


def verified(service: RunningService, *more: str) -> tuple[int, dict[str, Any]]:
    done = run_command(service.data_dir, "audit", "verify", "--json", *more)
    assert done.returncode in {0, 3}, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, told["decisions"]


def test_the_audit_finds_no_fault_until_a_row_is_tampered_with_and_tells_where(
    service: RunningService, institution: httpx.Client, denied: str
) -> None:
    wait_until(lambda: explain(institution, denied)["chain"] is not None)
    code, told = verified(service)
    assert (code, told["fault_count"], told["faults"]) == (0, 0, [])
    head = f"{told['head_number']}:{told['head_digest']}"
    assert verified(service, "--head", head)[0] == 0
    assert verified(service, "--head", f"{told['head_number']}:{'0' * 64}")[0] == 3
    with tampered(service, denied):
        code, told = verified(service)
        assert (code, told["fault_count"]) == (3, 1)
        assert denied in told["faults"][0]
    assert verified(service)[0] == 0
    assert run_command(service.data_dir, "audit", "verify", "--head", "x").returncode == 2


def test_the_audit_finds_an_account_that_was_changed_by_hand_beside_a_running_service(
    service: RunningService,
) -> None:
    change = "UPDATE account SET items_per_day = items_per_day + $1 WHERE name = 'auditor'"
    done = run_command(service.data_dir, "audit", "verify")
    assert done.returncode == 0, done.stdout
    [head] = [line for line in done.stdout.splitlines() if line.startswith("head: ")]
    noted = head.removeprefix("head: ")
    by_hand(service, change, 7)
    try:
        done = run_command(service.data_dir, "audit", "verify", "--head", noted)
        assert done.returncode == 3
        assert done.stdout.startswith("account ")
        assert "it was changed" in done.stdout.partition("\n")[0]
    finally:
        by_hand(service, change, -7)
    other = noted.rpartition(":")[0] + ":" + "0" * 64
    assert run_command(service.data_dir, "audit", "verify", "--head", other).returncode == 3


def by_hand(service: RunningService, statement: str, *values: object) -> None:
    """Change one row as somebody may who may do everything: without triggers."""

    async def change() -> None:
        with open_servers(load_config({}, data_dir=service.data_dir)) as named:
            assert named.database_url is not None
            connection = await asyncpg.connect(named.database_url.replace("+asyncpg", ""))
            try:
                await connection.execute("SET session_replication_role = replica")
                assert await connection.execute(statement, *values) == "UPDATE 1"
            finally:
                await connection.close()

    asyncio.run(change())


@contextmanager
def tampered(service: RunningService, decision_id: str) -> Iterator[None]:
    """Have a decision read otherwise, as somebody may make it who may do everything."""
    change = "UPDATE decision SET outcome = $1 WHERE id = $2"
    by_hand(service, change, "allow", decision_id)
    try:
        yield
    finally:
        by_hand(service, change, "deny", decision_id)
