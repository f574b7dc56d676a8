"""Bodies made to hurt a parser are refused at every address, and the worker goes on.

The fast lane answers an address as it stands. With a slash at its end the application answers.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from checker.api.operation import NDJSON, Operation
from checker.api.routes import OPERATIONS
from tests.support.asking import pointers, problem
from tests.support.running_service import RunningService
from tests.support.spending import AUTHORIZATIONS, keyed, resort
from tests.support.town import DEBTOR, document

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

WITH_BODY = [each for each in OPERATIONS if each.body is not None]
EVERY = pytest.mark.parametrize("operation", WITH_BODY, ids=[o.operation_id for o in WITH_BODY])
DEPTH = 20_000
"""Deeper than Python's stack, and within the smallest bound of a body (64 KiB)."""

NOT_JSON = {
    "deep lists": b"[" * DEPTH + b"]" * DEPTH,
    "deep objects": b'{"a":' * (DEPTH // 2) + b"1" + b"}" * (DEPTH // 2),
    "unclosed lists": b"[" * DEPTH,
    "a number of many digits": b"9" * DEPTH,
    "an exponent without end": b"1e999999999",
    "a long text": b'"' + b"x" * DEPTH + b'"',
    "many fields": b"{" + b",".join(b'"f%d":1' % number for number in range(4_000)) + b"}",
    "NUL": b"\0",
    "bytes that are not UTF-8": b'{"\xff\xfe":"\xc0\x80"}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
}
"""Bodies that are no object of any operation."""

VALUES: Mapping[str, bytes] = {
    "a deep list": b"[" * DEPTH + b"]" * DEPTH,
    "a number of many digits": b"-" + b"9" * DEPTH,
    "a number beyond all bounds": b"1e400",
    "half a surrogate pair": b'"\\udc00\\ud800"',
    "bytes that are not UTF-8": b'"\xed\xa0\x80"',
    "a long text": b'"' + b"x" * DEPTH + b'"',
}
"""Values that no field takes."""


def send(client: httpx.Client, operation: Operation, body: bytes) -> Iterator[httpx.Response]:
    """Send a body through the lane, if the operation has one, and through the application."""
    path = operation.path.replace("{", "").replace("}", "")
    headers = keyed() if operation.is_idempotent else {}
    assert operation.body is not None
    headers["content-type"] = operation.body.media_type
    for address in (path, f"{path}/"):
        yield client.request(operation.method, address, content=body, headers=headers)


def refused(response: httpx.Response) -> bool:
    """Whether the answer refuses the body, names the field, or reports the line or the item."""
    told = response.json()
    match response.status_code:
        case 400:
            return told["code"] == "invalid-request" and bool(told["errors"])
        case 413:
            return told["code"] == "too-large"
        case 415:  # a feed whose bytes are no text
            return told["code"] == "unsupported-media-type"
        case 200 | 201 if "results" in told and "list" in told:
            return all("error" in each for each in told["results"])
        case 200 | 201:
            return bool(told["rejected"])
        case _:
            return False


@EVERY
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_no_object_of_the_operation_is_refused(
    client: httpx.Client, operation: Operation, body: bytes
) -> None:
    for response in send(client, operation, body):
        assert refused(response), response.text


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the path of every value within a value of JSON, outer values first."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def with_value(example: Any, path: tuple[str | int, ...], value: bytes) -> bytes:
    """Return an example as JSON, with these bytes in the place of one value."""
    mark = "the-place-of-the-value"
    copy = json.loads(json.dumps(example))
    within = copy
    for step in path[:-1]:
        within = within[step]
    within[path[-1]] = mark
    return json.dumps(copy).encode().replace(b'"%s"' % mark.encode(), value)


@EVERY
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_that_no_field_takes_is_refused_at_every_field(
    client: httpx.Client, operation: Operation, value: bytes
) -> None:
    assert operation.body is not None
    example = json.loads(msgspec.json.encode(operation.body.example))
    for path in places(example):
        body = with_value(example, path, value)
        body += b"\n" if operation.body.media_type == NDJSON else b""
        for response in send(client, operation, body):
            assert refused(response), (path, response.text)


@EVERY
def test_a_field_that_is_there_twice_is_named(client: httpx.Client, operation: Operation) -> None:
    assert operation.body is not None
    example = json.loads(msgspec.json.encode(operation.body.example))
    for name, value in example.items():
        pair = json.dumps({name: value}).encode()[1:-1]
        body = json.dumps(example).encode()[:-1] + b"," + pair + b"}\n"
        for response in send(client, operation, body):
            assert refused(response), (name, response.text)


def test_a_hold_without_the_type_of_its_service_is_refused(institution: httpx.Client) -> None:
    untyped = {name: value for name, value in resort(1).items() if name != "type"}
    body = {"subject": {"document": document(DEBTOR)}, "service": untyped}
    response = institution.post(AUTHORIZATIONS, json=body, headers=keyed())
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/type"]


def test_no_worker_has_ended(service: RunningService) -> None:
    assert "has ended with code" not in service.log()
