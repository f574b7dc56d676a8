"""Each operation is declared once and whole; its examples are what the code reads and writes."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from checker.accounts.keys import MAY, Action
from checker.api.access import OPERATION, guard
from checker.api.docs_page import PAGES
from checker.api.openapi import openapi_document
from checker.api.operation import JSON, NDJSON, KeyUse, Operation
from checker.api.problems import HEADERS, headers_of
from checker.api.routes import HANDLERS, OPERATIONS, RESOURCES
from checker.errors import Crowded, QuotaExceeded, Unauthenticated, Unavailable

EVERY_OPERATION = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=[each.operation_id for each in OPERATIONS]
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(OPERATIONS, "1.0")


def test_an_address_with_its_method_is_declared_once() -> None:
    counts = Counter((each.method, each.path) for each in OPERATIONS)
    assert max(counts.values()) == 1
    assert len({each.operation_id for each in OPERATIONS}) == len(OPERATIONS)


def test_every_handler_that_a_resource_declares_is_guarded() -> None:
    app = Litestar([*HANDLERS], openapi_config=None)
    routed = [
        handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.http_methods != {"OPTIONS"}
    ]
    assert len(routed) == len(OPERATIONS)
    assert all(handler.opt[OPERATION] in OPERATIONS for handler in routed)
    assert all(list(handler.guards) == [guard] for handler in routed)


def test_only_the_pages_have_no_operation() -> None:
    assert all(OPERATION not in page.opt for page in PAGES)
    assert {path for page in PAGES for path in page.paths} == {"/docs", "/openapi.json"}


def test_a_resource_that_is_listed_declares_an_address() -> None:
    for module in RESOURCES:
        assert any(isinstance(found, HTTPRouteHandler) for found in vars(module).values())


@EVERY_OPERATION
def test_an_operation_says_what_it_does(operation: Operation) -> None:
    assert operation.summary
    assert operation.description
    assert not operation.summary.endswith(".")
    assert operation.description.endswith(".")


@EVERY_OPERATION
def test_every_right_belongs_to_a_role_that_could_call(operation: Operation) -> None:
    assert bool(operation.may) == (operation.key is not KeyUse.NONE)
    assert all(any(action in actions for actions in MAY.values()) for action in operation.may)


def test_every_action_opens_an_address() -> None:
    assert {action for each in OPERATIONS for action in each.may} == set(Action)


@EVERY_OPERATION
def test_the_example_of_a_body_can_be_decoded(operation: Operation) -> None:
    if operation.body is None:
        return
    example = msgspec.json.encode(operation.body.example)
    assert any(_reads(example, kind) for kind in operation.body.kinds)


@EVERY_OPERATION
def test_the_example_of_an_answer_has_the_fields_of_the_answer(operation: Operation) -> None:
    for answer in operation.answers:
        if answer.media_type in {JSON, NDJSON} and answer.kinds:
            example = msgspec.json.encode(answer.example)
            assert any(_reads(example, kind) for kind in answer.kinds)
        assert (answer.example is None) == (not answer.kinds)


def test_an_operation_that_counts_against_a_quota_answers_429(document: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        responses = document["paths"][operation.path][operation.method.lower()]["responses"]
        assert ("429" in responses) == (QuotaExceeded in operation.errors)
    quota = document["components"]["responses"]["QuotaExceeded"]
    assert set(quota["headers"]) == {"Retry-After", "RateLimit", "RateLimit-Policy"}


def test_schemas_have_the_plain_names_of_our_structs(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    assert not [name for name in names if "." in name or name == "HTTPStatus"]


def test_every_instant_has_its_format(document: dict[str, Any]) -> None:
    # A day may be sent in these places too.
    sent = {"PastSale.sold_at", "PermitFields.valid_from", "PermitFields.valid_until"}
    unformatted = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if (field.endswith(("_at", "_until", "_from")) or field in {"at", "as_of", "time"})
        and "date-time" not in str(described)
    ]
    assert set(unformatted) == sent


def test_an_operation_without_a_key_says_so(document: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        security = document["paths"][operation.path][operation.method.lower()]["security"]
        assert (security == []) == (operation.key is KeyUse.NONE)
        assert ({} in security) == (operation.key is KeyUse.OPTIONAL)


@pytest.mark.parametrize(
    "error",
    [
        Unauthenticated("x"),
        Crowded("x"),
        QuotaExceeded("x", retry_after_s=1),
        Unavailable("x"),
    ],
)
def test_the_headers_of_an_error_are_described_as_they_are_sent(error: Exception) -> None:
    described = {name.lower() for name in HEADERS[type(error)]}
    assert headers_of(error).keys() - {"connection"} == described


def _reads(example: bytes, kind: Any) -> bool:
    try:
        msgspec.json.decode(example, type=kind)
    except msgspec.ValidationError:
        return False
    return True
