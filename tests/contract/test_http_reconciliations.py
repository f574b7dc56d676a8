"""Reconciliations over HTTP: files of past sales in both formats, and their results."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, pointers, problem, question
from tests.support.changing import Court, Stranger
from tests.support.running_service import RunningService, wait_until
from tests.support.town import COMPANY_NAME, DEBTOR, HIDDEN, INNOCENT, MASKED, MASKED_NAME

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

RECONCILIATIONS = "/v1/reconciliations"
CSV = {"content-type": "text/csv; charset=utf-8"}
FAR = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


def now_text() -> str:
    return datetime.now(UTC).isoformat()


def sale(number: str, service: dict[str, Any] = FLIGHT, **more: Any) -> dict[str, Any]:
    return {**question(number, service), "sold_at": now_text(), **more}


def ndjson(*lines: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def reconcile(client: httpx.Client, body: Any, **headers: str) -> dict[str, Any]:
    response = client.post(RECONCILIATIONS, content=body, headers=headers)
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{RECONCILIATIONS}/{told['id']}"
    assert told["status"] == "done"
    return told


def results_of(client: httpx.Client, told: dict[str, Any], **wanted: int) -> list[dict[str, Any]]:
    response = client.get(told["results"], params=wanted)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


def test_what_would_have_been_refused_is_told_by_line_and_reference(
    institution: httpx.Client,
) -> None:
    resort = {"type": "resort", "venue": "rated_resort", "amount_fen": 100}
    masked = question(MASKED, FLIGHT, name=MASKED_NAME)
    told = reconcile(
        institution,
        ndjson(
            sale(INNOCENT),
            sale(DEBTOR, reference="ORDER-2"),
            sale(DEBTOR, resort),
            {**masked, "sold_at": now_text()},
            sale(HIDDEN),
        ),
    )
    assert (told["lines"], told["adverse"], told["rejected"]) == (5, 4, 0)
    results = results_of(institution, told)
    assert [(each["line"], each["decision"], each["reference"]) for each in results] == [
        (2, "deny", "ORDER-2"),
        (3, "cap", None),
        (4, "review", None),
        (5, "deny", None),
    ]
    assert results[0]["reasons"][0]["listing"]["id"] == "1"
    assert results[3]["reasons"][0]["listing"] is None
    assert set(results[0]) == {
        "line",
        "reference",
        "sold_at",
        "service",
        "jurisdiction",
        "decision",
        "reasons",
        "list_version",
    }
    assert results_of(institution, told, after=3) == results[2:]


def test_csv_says_the_same(institution: httpx.Client) -> None:
    at = now_text()
    body = (
        "document_type,document_number,sold_at,service,flight,star_rating,reference\n"
        f"resident_id,{INNOCENT},{at},air,CZ3101,,A-1\n"
        f"resident_id,{DEBTOR},{at},lodging,,4,A-2\n"
        f"resident_id,{DEBTOR[:-1]},{at},air,CZ3101,,A-3\n"
        f"resident_id,{DEBTOR},{at},lodging,,0,A-4\n"
    )
    told = reconcile(institution, body.encode(), **CSV)
    assert (told["lines"], told["adverse"], told["rejected"]) == (5, 1, 1)
    adverse, rejected = results_of(institution, told)
    assert (adverse["line"], adverse["service"], adverse["reference"]) == (3, "lodging", "A-2")
    assert rejected["line"] == 4
    assert rejected["error"]["code"] == "invalid-document"
    assert pointers(rejected["error"]) == ["/subject/document/number"]


@pytest.mark.parametrize(
    ("media_type", "encoding"),
    [
        ("text/csv; charset=GBK", "gbk"),
        ("text/csv", "gb18030"),
        ("text/csv", "utf-16"),
        ('text/csv; header=present; charset="utf-8"', "utf-8-sig"),
    ],
)
def test_csv_is_read_in_its_encoding_and_a_cell_may_hold_line_breaks(
    institution: httpx.Client, media_type: str, encoding: str
) -> None:
    sold = f"resident_id,{DEBTOR},陈示例,{now_text()},air,CZ3101,"
    body = (
        "document_type,document_number,name,sold_at,service,flight,reference\r\n"
        f'{sold},"A-1\r\n{sold}SMUGGLED"\r\n'
        f"{sold}A-2\r\n"
    )
    told = reconcile(institution, body.encode(encoding), **{"content-type": media_type})
    assert (told["lines"], told["adverse"]) == (3, 1)
    assert [each["line"] for each in results_of(institution, told)] == [2, 3]


@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.ms-excel", "text/csv; charset=latin-1", "application/x-ndjson; charset=x"],
)
def test_another_media_type_or_charset_is_refused_and_nothing_is_begun(
    institution: httpx.Client, media_type: str
) -> None:
    before = institution.get(RECONCILIATIONS, params={"limit": 1000}).json()
    headers = {"content-type": media_type}
    response = institution.post(RECONCILIATIONS, content=ndjson(sale(DEBTOR)), headers=headers)
    problem(response, 415, "unsupported-media-type")
    assert institution.get(RECONCILIATIONS, params={"limit": 1000}).json() == before


def test_a_header_that_is_none_is_refused_and_nothing_is_begun(institution: httpx.Client) -> None:
    before = institution.get(RECONCILIATIONS, params={"limit": 1000}).json()
    response = institution.post(RECONCILIATIONS, content=b"number,day\n", headers=CSV)
    problem(response, 400, "invalid-request")
    assert institution.get(RECONCILIATIONS, params={"limit": 1000}).json() == before


def test_a_sale_is_held_against_the_list_of_its_instant(
    institution: httpx.Client, court: httpx.Client
) -> None:
    somebody = Stranger()
    says = Court(court)
    says.do(somebody.listed())
    listed_at = now_text()
    says.do(somebody.about("delist", ground="fulfilled"))
    sales = (sale(somebody.number, sold_at=each) for each in (listed_at, now_text()))
    results = results_of(institution, reconcile(institution, ndjson(*sales)))
    assert [each["line"] for each in results] == [1]


def test_bad_lines_are_told_and_spoil_nothing(institution: httpx.Client) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    bad = [
        b"{",
        b"\xff\xfe",
        ndjson(DEBTOR)[:-1],
        ndjson(question(DEBTOR, FLIGHT))[:-1],
        ndjson(sale(DEBTOR, sold_at=tomorrow))[:-1],
        ndjson(sale(DEBTOR, sold_at="1999-01-01"))[:-1],
        ndjson(sale(DEBTOR, reference=COMPANY_NAME * 100))[:-1],
        b" " + b"x" * 20_000,
    ]
    body = b"\n".join([*bad, b"", ndjson(sale(DEBTOR))])
    told = reconcile(institution, body)
    assert (told["adverse"], told["rejected"]) == (1, len(bad))
    results = results_of(institution, told)
    codes = [each["error"]["code"] for each in results[:-1]]
    assert codes == ["invalid-request"] * 5 + ["no-list"] + ["invalid-request"] * 2
    assert results[-1]["line"] == told["lines"] == len(bad) + 2


def test_a_line_outside_of_the_keys_scope_is_told_and_not_judged(service: RunningService) -> None:
    with service.client(service.keys["rail only"]) as client:
        told = reconcile(client, ndjson(sale(DEBTOR)))
        [result] = results_of(client, told)
    assert result["error"]["code"] == "out-of-scope"


def test_who_would_rather_not_wait_looks_later(institution: httpx.Client) -> None:
    body = ndjson(*[sale(INNOCENT)] * 3, sale(DEBTOR))
    headers = {"prefer": "wait=1, respond-async"}
    response = institution.post(RECONCILIATIONS, content=body, headers=headers)
    assert response.status_code == 202, response.text
    assert response.headers["preference-applied"] == "respond-async"
    address = response.headers["location"]
    wait_until(lambda: institution.get(address).json()["status"] == "done")
    told = institution.get(address).json()
    assert (told["lines"], told["adverse"]) == (4, 1)
    assert [each["line"] for each in results_of(institution, told)] == [4]


def test_who_lost_the_connection_finds_how_many_lines_were_dealt_with(
    institution: httpx.Client,
) -> None:
    def cut() -> Iterator[bytes]:
        yield ndjson(*[sale(INNOCENT)] * 600)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        institution.post(RECONCILIATIONS, content=cut())

    def last() -> dict[str, Any]:
        page = institution.get(RECONCILIATIONS, params={"limit": 1000}).json()
        told: dict[str, Any] = page["reconciliations"][-1]
        return told

    wait_until(lambda: last()["status"] == "interrupted")
    assert (last()["reason"], last()["lines"]) == ("cut-off", 500)


def test_lines_are_items_of_the_quota(service: RunningService) -> None:
    service.make_keys({"quota of 3": ("--role", "institution", "--quota", "3")})
    with service.client(service.keys["quota of 3"]) as client:
        reconcile(client, ndjson(*[sale(INNOCENT)] * 2))
        # More than a whole minute has, so that no minute's end lets it through.
        response = client.post(RECONCILIATIONS, content=ndjson(*[sale(INNOCENT)] * 4))
        told = problem(response, 429, "quota-exceeded")
        assert int(response.headers["retry-after"]) >= 1
        assert "reconciliation" not in told["detail"]
        listed = client.get(RECONCILIATIONS).json()["reconciliations"]
    assert [each["status"] for each in listed] == ["done", "interrupted"]
    assert listed[1]["reason"] == "quota-exceeded"


def test_another_accounts_is_not_found(service: RunningService, institution: httpx.Client) -> None:
    told = reconcile(institution, ndjson(sale(DEBTOR)))
    with service.client(service.keys["leizhou"]) as other:
        for address in (f"{RECONCILIATIONS}/{told['id']}", told["results"]):
            problem(other.get(address), 404, "not-found")
    for unknown in (FAR, "x", "1"):
        problem(institution.get(f"{RECONCILIATIONS}/{unknown}/results"), 404, "not-found")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "status=done"])
def test_a_page_of_reconciliations_that_is_none_is_refused(
    institution: httpx.Client, query: str
) -> None:
    problem(institution.get(f"{RECONCILIATIONS}?{query}"), 400, "invalid-request")


def test_many_results_are_streamed_whole(institution: httpx.Client) -> None:
    told = reconcile(institution, ndjson(*[sale(DEBTOR)] * 1_100))
    assert [each["line"] for each in results_of(institution, told)] == list(range(1, 1_101))
