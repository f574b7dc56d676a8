"""The rules that hold at every address, and on the wire."""

import re
import socket

import httpx
import pytest

from checker.api.operation import Operation
from checker.api.routes import OPERATIONS
from tests.support.asking import G_TRAIN, pointers, problem, question
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

EVERY = pytest.mark.parametrize("operation", OPERATIONS, ids=[o.operation_id for o in OPERATIONS])
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
CHECK = question(INNOCENT, G_TRAIN)
SUBJECT = CHECK["subject"]


def address_of(operation: Operation) -> str:
    return re.sub(r"\{\w+\}", "nobody", operation.path)


def methods_of(operation: Operation) -> set[str]:
    methods = {each.method for each in OPERATIONS if each.path == operation.path}
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


@EVERY
def test_options_and_405_name_the_methods_of_the_address(
    anyone: httpx.Client, operation: Operation
) -> None:
    address, methods = address_of(operation), methods_of(operation)
    for found in (address, f"{address}/"):
        response = anyone.options(found)
        assert (response.status_code, response.content) == (204, b"")
        assert set(response.headers["allow"].split(", ")) == methods
    for method in METHODS - methods:
        response = anyone.request(method, address)
        assert response.status_code == 405
        assert set(response.headers["allow"].split(", ")) == methods


@EVERY
def test_every_answer_has_the_general_headers(client: httpx.Client, operation: Operation) -> None:
    sent = {"x-request-id": "order-7.A_b"}
    for method in {operation.method, "OPTIONS", "TRACE"} | ({"HEAD"} & methods_of(operation)):
        response = client.request(method, address_of(operation), headers=sent)
        assert response.headers["x-request-id"] == "order-7.A_b"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert len(response.headers.get_list("cache-control")) == 1
        if "etag" not in response.headers:
            assert response.headers["cache-control"] == "no-store"
    drawn = {client.options(address_of(operation)).headers["x-request-id"] for _ in range(3)}
    assert len(drawn) == 3


@EVERY
def test_head_answers_like_get_without_a_body(client: httpx.Client, operation: Operation) -> None:
    if operation.method != "GET":
        return
    address = address_of(operation)
    headless, whole = client.head(address), client.get(address)
    assert headless.content == b""
    assert headless.status_code == whole.status_code
    changing = {"x-request-id", "date", "ratelimit"}
    of_message = {"content-length", "transfer-encoding"}
    named = set(whole.headers) - of_message
    assert set(headless.headers) - of_message == named
    for name in named - changing:
        assert headless.headers[name] == whole.headers[name]


@EVERY
def test_a_parameter_that_is_not_known_is_refused(
    client: httpx.Client, operation: Operation
) -> None:
    for query in ("unheard=1", "unheard="):
        response = client.request(operation.method, f"{address_of(operation)}?{query}")
        problem(response, 400, "invalid-request")


@EVERY
def test_a_body_of_another_type_is_refused(client: httpx.Client, operation: Operation) -> None:
    if operation.body is None:
        return
    headers = {"idempotency-key": "another-type"} if operation.is_idempotent else {}
    bodies = dict.fromkeys(["text/plain", "application/xml", "multipart/form-data"], b"{}")
    for media_type, body in (bodies | {"application/x-www-form-urlencoded": b"a=1"}).items():
        response = client.request(
            operation.method,
            address_of(operation),
            content=body,
            headers=headers | {"content-type": media_type},
        )
        problem(response, 415, "unsupported-media-type")


def test_json_is_read_without_a_type_and_under_the_one_that_curl_sends(
    institution: httpx.Client,
) -> None:
    body = httpx.Request("POST", "/", json=CHECK).content
    for headers in ({}, {"content-type": "application/x-www-form-urlencoded"}):
        for address in ("/v1/checks", "/v1/checks/"):
            response = institution.post(address, content=body, headers=headers)
            assert response.status_code == 200, response.text


def test_no_charset_is_named_twice(anyone: httpx.Client, clients: dict[str, httpx.Client]) -> None:
    for address in ("/docs", "/docs?a", "/metrics"):
        assert anyone.get(address).headers["content-type"].count("charset") == 1
    exported = clients["auditor"].get("/v1/decisions/export", params={"format": "csv"})
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"


def test_a_field_that_is_there_twice_is_refused_by_its_name(institution: httpx.Client) -> None:
    document = '"document": {"type": "resident_id", "number": "%s"}'
    twice = f'{{"subject": {{{document % DEBTOR}, {document % INNOCENT}}}, "service": '
    twice += '{"type": "air", "flight": "CA1301"}}'
    told = problem(institution.post("/v1/checks", content=twice), 400, "invalid-request")
    assert pointers(told) == ["/subject/document"]
    batch = f'{{"checks": [{twice}]}}'
    [result] = institution.post("/v1/checks/batch", content=batch).json()["results"]
    assert pointers(result["error"]) == ["/subject/document"]
    hold = twice.replace(
        '"air", "flight": "CA1301"', '"resort", "venue": "unrated", "amount_fen":1'
    )
    response = institution.post(
        "/v1/spending/authorizations", content=hold, headers={"idempotency-key": "twice"}
    )
    assert pointers(problem(response, 400, "invalid-request")) == ["/subject/document"]


def test_a_snapshot_without_a_body_empties_nothing(
    service: RunningService, operator: httpx.Client
) -> None:
    before = operator.get("/v1/list").json()["version"]
    key = f"Authorization: Bearer {service.keys['court']}"
    address = "/v1/feed/snapshot?allow_empty=true&allow_shrink=true"
    assert answer_to(service, f"PUT {address} HTTP/1.1", "Host: a", key).startswith("HTTP/1.1 400")
    assert operator.get("/v1/list").json()["version"] == before


@pytest.mark.parametrize("address", ["/v1/checks", "/healthz", "/openapi.json", "/nowhere"])
def test_headers_that_may_be_read_in_two_ways_are_refused(
    service: RunningService, address: str
) -> None:
    line = f"POST {address} HTTP/1.1" if address == "/v1/checks" else f"GET {address} HTTP/1.1"
    key = f"Authorization: Bearer {service.keys['institution']}"
    for headers in ((), ("Host: a", "Host: b"), ("Host: a", key, key)):
        answer = answer_to(service, line, *headers)
        assert answer.startswith("HTTP/1.1 400"), answer
    assert not answer_to(service, line, "Host: a", key).startswith("HTTP/1.1 5")


def test_a_long_answer_to_get_is_compressed(clients: dict[str, httpx.Client]) -> None:
    response = clients["institution"].get("/v1/measures", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "accept-encoding"
    plain = clients["institution"].get("/v1/measures", headers={"accept-encoding": "identity"})
    assert plain.json() == response.json()


def test_an_answer_that_has_not_changed_is_not_sent_again(
    anyone: httpx.Client, institution: httpx.Client
) -> None:
    for client, address in ((anyone, "/.well-known/jwks.json"), (institution, "/v1/measures")):
        etag = client.get(address).headers["etag"]
        for wanted in (etag, f'"x", {etag}', "*"):
            again = client.get(address, headers={"if-none-match": wanted})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
        assert client.get(address, headers={"if-none-match": '"x"'}).status_code == 200


def test_an_authorization_can_be_read_at_its_location(institution: httpx.Client) -> None:
    resort = {"type": "resort", "venue": "rated_resort", "amount_fen": 1}
    address, key = "/v1/spending/authorizations", {"idempotency-key": "location"}
    made = institution.post(address, json=question(DEBTOR, resort), headers=key)
    assert made.status_code == 201, made.text
    location = made.headers["location"]
    assert institution.get(location).json()["id"] == made.json()["id"]
    void = institution.post(f"{location}/void", headers={"idempotency-key": "location-void"})
    assert void.status_code == 200, void.text


def test_the_page_allows_its_own_script_alone(anyone: httpx.Client) -> None:
    policy = anyone.get("/docs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


def answer_to(service: RunningService, *lines: str) -> str:
    """The head of the answer to a request that is written by hand."""
    with socket.create_connection(service.address, timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts).decode(errors="replace")
