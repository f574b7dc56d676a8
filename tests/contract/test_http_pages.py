"""Pages that need no key: health, metrics, problems, the API's document and page."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.asking import FLIGHT, G_TRAIN, ask, problem, question
from tests.support.changing import CONNECTIONS
from tests.support.running_service import RunningService, wait_until
from tests.support.spending import hold, order
from tests.support.town import DEBTOR, INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

GOLDEN = Path(__file__).with_name("openapi.json")
RENEW = (
    "the API changed; if this was meant, renew the golden document: .venv/bin/python -c "
    '"from checker.api.docs_page import rendered_document as it; print(it().decode())" | '
    "python3 -m json.tool --no-ensure-ascii > tests/contract/openapi.json"
)
PROBLEMS = {
    "invalid-request": 400,
    "unauthenticated": 401,
    "out-of-scope": 403,
    "not-found": 404,
    "body-stalled": 408,
    "conflict": 409,
    "cap-exceeded": 409,
    "too-large": 413,
    "unsupported-media-type": 415,
    "invalid-document": 422,
    "idempotency-key-reused": 422,
    "quota-exceeded": 429,
    "unavailable": 503,
    "crowded": 503,
}


@pytest.fixture
def document(anyone: httpx.Client) -> dict[str, Any]:
    response = anyone.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    told: dict[str, Any] = response.json()
    return told


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/metrics"])
def test_a_page_is_sent_compressed_where_that_is_taken(anyone: httpx.Client, path: str) -> None:
    plain = anyone.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    small = anyone.get(path, headers={"accept-encoding": "gzip"})
    assert small.headers.get("content-encoding") == ("gzip" if path != "/docs" else None)
    assert plain.headers["vary"] == small.headers["vary"] == "accept-encoding"
    assert plain.headers["content-type"] == small.headers["content-type"]


def test_the_document_is_not_sent_again_to_whoever_has_it(anyone: httpx.Client) -> None:
    etag = anyone.get("/openapi.json").headers["etag"]
    again = anyone.get("/openapi.json", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def resolve(document: dict[str, Any], pointer: str) -> Any:
    found: Any = document
    for step in pointer.removeprefix("#/").split("/"):
        found = found[step]
    return found


def counted(anyone: httpx.Client, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", anyone.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_the_process_says_that_it_lives_and_that_it_is_ready(anyone: httpx.Client) -> None:
    assert anyone.get("/healthz").json() == {"status": "ok"}
    # A worker that has just loaded another generation has no lease for a moment.
    wait_until(lambda: anyone.get("/readyz").json()["status"] == "ready")
    told = anyone.get("/readyz").json()
    assert (told["cache"], told["registry"]) == (True, True)
    assert told["version"] >= 1


def test_each_check_is_counted_by_service_and_decision(
    service: RunningService, anyone: httpx.Client, institution: httpx.Client
) -> None:
    # A worker shares its counts every second, or when it is asked for them.
    for _ in range(CONNECTIONS):
        httpx.get(f"{service.url}/metrics")
    sample = 'checker_checks_total{{decision="{}",service="{}"}}'
    samples = [sample.format("deny", "rail"), sample.format("allow", "air")]
    before = [counted(anyone, one) for one in samples]
    ask(institution, DEBTOR, G_TRAIN)
    batch = {"service": FLIGHT, "subjects": [question(INNOCENT, FLIGHT)["subject"]] * 3}
    institution.post("/v1/checks/batch", json=batch)
    wait_until(lambda: [counted(anyone, one) for one in samples] == [before[0] + 1, before[1] + 3])


def test_problems_are_counted_by_the_route_and_never_by_the_address(anyone: httpx.Client) -> None:
    samples = [
        f'checker_problems_total{{resource="{resource}",status="{status}"}}'
        for resource, status in (("measures", 401), ("decisions", 401), ("nowhere", 404))
    ]
    before = [counted(anyone, one) for one in samples]
    for path in ("/v1/measures", f"/v1/decisions/{DEBTOR}", f"/{DEBTOR}/{DEBTOR}"):
        anyone.get(path)
    wait_until(lambda: [counted(anyone, one) for one in samples] == [one + 1 for one in before])


def test_orders_of_spending_are_counted_by_their_answer(
    anyone: httpx.Client, institution: httpx.Client
) -> None:
    sample = 'checker_spending_orders_total{{order="{}",result="{}"}}'
    samples = [sample.format("authorize", "uncapped"), sample.format("void", "not-found")]
    before = [counted(anyone, one) for one in samples]
    hold(institution, INNOCENT, 100)
    order(institution, "1/void")
    wait_until(lambda: [counted(anyone, one) for one in samples] == [one + 1 for one in before])


def test_the_labels_of_the_metrics_are_closed_sets(anyone: httpx.Client) -> None:
    names = set(re.findall(r'[{,](\w+)="', anyone.get("/metrics").text))
    assert names <= {
        "service",
        "decision",
        "resource",
        "status",
        "feed",
        "result",
        "order",
        "le",
        "pid",
        "ground",
        "state",
        "work",
        "store",
    }


@pytest.mark.parametrize("code", PROBLEMS)
def test_each_code_of_the_contract_is_explained(anyone: httpx.Client, code: str) -> None:
    told = anyone.get(f"/problems/{code}").json()
    assert (told["code"], told["status"]) == (code, PROBLEMS[code])
    assert told["title"]
    assert told["advice"]


def test_a_code_that_is_none_is_not_found(anyone: httpx.Client) -> None:
    problem(anyone.get("/problems/unheard-of"), 404, "not-found")


@pytest.mark.parametrize("path", ["/v1", "/v1/check", "/v1/checks/1/2", "/v2/checks", "/%00"])
def test_an_address_where_nothing_is_gives_a_problem(anyone: httpx.Client, path: str) -> None:
    problem(anyone.get(path), 404, "not-found")


def test_the_root_is_a_page_that_loads_nothing_from_other_hosts(anyone: httpx.Client) -> None:
    response = anyone.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "//" not in policy


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/sign-out", "/"),
        ("/desk/holds", "/desk"),
        ("/desk/outcomes", "/desk"),
        ("/self-check/corrections/new", "/self-check/corrections"),
    ],
)
def test_the_switch_of_the_language_leads_from_a_sent_form_to_the_page_above(
    anyone: httpx.Client, path: str, page: str
) -> None:
    response = anyone.get(path, params={"lang": "en"})
    assert (response.status_code, response.headers["location"]) == (303, page)
    assert "lang=en" in response.headers["set-cookie"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/checks", {"POST"}),
        ("DELETE", "/v1/checks", {"POST"}),
        ("GET", "/v1/checks/batch", {"POST"}),
        ("POST", "/v1/feed/snapshot", {"PUT"}),
        ("POST", "/v1/list", {"GET"}),
        ("PUT", "/healthz", {"GET"}),
        ("POST", "/problems/unavailable", {"GET"}),
    ],
)
def test_a_method_an_address_does_not_take_gives_a_problem(
    anyone: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    response = anyone.request(method, path)
    problem(response, 405, "method-not-allowed")
    told = {name.strip() for name in response.headers["allow"].split(",")}
    assert told == allowed | {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())


def test_the_page_of_the_api_loads_from_here_alone(anyone: httpx.Client) -> None:
    page = anyone.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    assert "://" not in page.text
    for source in sources:
        if not source.startswith("data:"):
            assert anyone.get(source).status_code == 200, source


def test_the_document_describes_openapi_3_1_with_all_references_resolved(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1")
    assert {"title", "version"} <= set(document["info"])
    pointers = references(document)
    assert pointers
    assert all(pointer.startswith("#/") for pointer in pointers)
    assert all(resolve(document, pointer) for pointer in pointers)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["operationId"]
            assert operation["tags"]
            assert operation["responses"].keys() & {"200", "201", "204"}
            named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def test_requests_and_answers_are_as_the_document_describes_them(
    document: dict[str, Any], institution: httpx.Client
) -> None:
    request = question(DEBTOR, G_TRAIN, jurisdiction="440882")
    answer = ask(institution, DEBTOR, G_TRAIN, jurisdiction="440882")
    refused = institution.post("/v1/checks", json={}).json()
    batch = institution.post("/v1/checks/batch", json={"checks": [request, {}]}).json()
    for name, value in (
        ("Check", request),
        ("Answer", answer),
        ("Problem", refused),
        ("BatchAnswer", batch),
    ):
        described = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(described).validate(value)


def test_the_document_is_as_integrators_know_it(document: dict[str, Any]) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    golden["info"].pop("version")
    document["info"].pop("version")
    assert document == golden, RENEW
