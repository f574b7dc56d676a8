"""Requests with something wrong outside of the service: fields, JSON, encoding, size."""

from typing import Any

import httpx
import pytest

from tests.contract.bad_services import OF_EACH_TYPE
from tests.support.asking import G_TRAIN, pointers, problem, question
from tests.support.town import DEBTOR, DEBTOR_NAME

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

PATHS = ("/v1/checks", "/v1/checks/batch")
RIGHT = question(DEBTOR, G_TRAIN, name=DEBTOR_NAME)


def changed(pointer: str, value: Any) -> dict[str, Any]:
    """The right request with one value replaced, or added."""
    return _replaced(RIGHT, pointer.split("/")[1:], value)


def _replaced(within: Any, steps: list[str], value: Any) -> dict[str, Any]:
    step, *rest = steps
    return {**within, step: _replaced(within[step], rest, value) if rest else value}


def without(pointer: str) -> dict[str, Any]:
    *steps, last = pointer.split("/")[1:]
    inner: Any = RIGHT
    for step in steps:
        inner = inner[step]
    left = {name: value for name, value in inner.items() if name != last}
    return changed("/" + "/".join(steps), left) if steps else left


TYPES = {
    "/subject": dict,
    "/subject/document": dict,
    "/subject/document/type": str,
    "/subject/document/number": str,
    "/subject/name": str,
    "/service": dict,
    "/jurisdiction": str,
    "/reference": str,
    "/receipt": bool,
}
NULLABLE = {"/subject/name", "/jurisdiction", "/reference"}
WRONG_TYPES = [
    (pointer, value)
    for pointer, right in TYPES.items()
    for kind, values in OF_EACH_TYPE.items()
    for value in values
    if kind is not right and not (value is None and pointer in NULLABLE)
]
WRONG_VALUES = [
    ("/subject/document/type", "unknown"),
    ("/subject/document/type", ""),
    ("/subject/document/number", ""),
    ("/subject/document/number", "1" * 65),
    ("/subject/document/number", "1" * 10_000),
    ("/subject/name", ""),
    ("/subject/name", " \u3000\t"),
    ("/subject/name", "陈" * 301),
    ("/jurisdiction", ""),
    ("/jurisdiction", "cn"),
    ("/jurisdiction", "99"),
    ("/jurisdiction", "440"),
    ("/jurisdiction", "4400822"),
    ("/jurisdiction", "４４"),
    ("/reference", "R" * 201),
]


@pytest.mark.parametrize(("pointer", "value"), WRONG_TYPES + WRONG_VALUES)
def test_a_value_that_is_wrong_is_pointed_at(
    institution: httpx.Client, pointer: str, value: Any
) -> None:
    response = institution.post("/v1/checks", json=changed(pointer, value))
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


@pytest.mark.parametrize(
    "pointer",
    ["/subject", "/subject/document", "/subject/document/type", "/subject/document/number"],
)
def test_a_field_that_is_missing_is_pointed_at(institution: httpx.Client, pointer: str) -> None:
    response = institution.post("/v1/checks", json=without(pointer))
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


@pytest.mark.parametrize("under", ["", "/subject", "/subject/document", "/service"])
def test_a_field_that_is_unknown_is_pointed_at(institution: httpx.Client, under: str) -> None:
    pointer = f"{under}/jurisdictoin"
    response = institution.post("/v1/checks", json=changed(pointer, "440882"))
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"null", b"true", b"1", b"1.5", b'"text"', b"[]", b"[{}]", b"{}"])
def test_a_body_of_another_type_of_json_is_refused(
    institution: httpx.Client, path: str, body: bytes
) -> None:
    told = problem(institution.post(path, content=body), 400, "invalid-request")
    assert told["errors"]


NOT_JSON = {
    "empty": b"",
    "blank": b" \n",
    "cut off": b'{"subject": {"document": {"type": "resident_id"',
    "trailing": b"{} {}",
    "trailing comma": b'{"subject": 1,}',
    "single quotes": b"{'subject': 1}",
    "not a number": b'{"subject": NaN}',
    "invalid UTF-8": b'{"subject": "\xff\xfe"}',
    "GBK": '{"subject": "陈"}'.encode("gbk"),
    "UTF-16": '{"subject": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"subject": 1}',
    "NUL": b"\0",
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"subject":' * 5_000,
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_no_json_is_refused(
    institution: httpx.Client, path: str, body: bytes
) -> None:
    told = problem(institution.post(path, content=body), 400, "invalid-request")
    assert told["errors"]


@pytest.mark.parametrize("field", ["name", "reference", "jurisdiction"])
def test_half_of_a_surrogate_pair_is_no_text(institution: httpx.Client, field: str) -> None:
    name = '"name": "\\ud800", ' if field == "name" else ""
    other = f', "{field}": "\\udfff"' if field != "name" else ""
    body = f'{{"subject": {{{name}"document": {{"type": "resident_id", "number": "{DEBTOR}"}}}}, '
    body += f'"service": {{"type": "air", "flight": "CZ3101"}}{other}}}'
    response = institution.post("/v1/checks", content=body.encode())
    problem(response, 400, "invalid-request")


def test_a_deep_value_of_a_field_is_refused(institution: httpx.Client) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * 5_000 + "1" + closing * 5_000
        body = f'{{"subject": {deep}}}'.encode()
        problem(institution.post("/v1/checks", content=body), 400, "invalid-request")


def test_a_field_of_the_service_given_twice_is_refused(institution: httpx.Client) -> None:
    body = '{"service": {"type": "rail", "train": "K511", "train": "G79", "seat": "second"}, '
    body += f'"subject": {{"document": {{"type": "resident_id", "number": "{DEBTOR}"}}}}}}'
    response = institution.post("/v1/checks", content=body.encode())
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/train"]


@pytest.mark.parametrize(
    ("path", "limit"), [("/v1/checks", 64 * 1024), ("/v1/checks/batch", 16 * 1024 * 1024)]
)
def test_a_body_over_the_limit_is_too_large(
    institution: httpx.Client, path: str, limit: int
) -> None:
    whole = institution.post(path, content=b" " * (limit + 1))
    problem(whole, 413, "too-large")
    pieces = (b" " * 8192 for _ in range(limit // 8192 + 1))
    problem(institution.post(path, content=pieces), 413, "too-large")
    at_the_limit = institution.post(path, content=b" " * limit)
    problem(at_the_limit, 400, "invalid-request")


def test_a_text_of_a_megabyte_in_a_field_is_too_large(institution: httpx.Client) -> None:
    response = institution.post("/v1/checks", json=changed("/reference", "R" * 2**20))
    problem(response, 413, "too-large")
