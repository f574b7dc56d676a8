"""The schemas leave no choice to the generators of clients."""

import re
from typing import Any

import msgspec
import pytest

from checker.api.openapi import openapi_document
from checker.api.openapi_schemas import described_schemas
from checker.api.routes import OPERATIONS
from checker.checks.batch_request import BATCH_ITEMS_MAX
from checker.checks.request import PLACE_PATTERN
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import parse_jurisdiction


class Inner(msgspec.Struct):
    """First line.

    Second line.
    """

    number: int
    small: int | None = None


class Question(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner
    place: str | None = None
    signed: bool = False


class Reply(msgspec.Struct):
    text: str = "ok"
    place: str | None = None
    hint: str | msgspec.UnsetType = msgspec.UNSET


class ShortReply(msgspec.Struct, omit_defaults=True):
    place: str | None = None


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return described_schemas([Question], [Reply, ShortReply])[1]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(OPERATIONS, "1.0")


@pytest.fixture(scope="module")
def schemas(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def test_a_field_of_a_request_that_may_be_left_out_has_no_default(made: dict[str, Any]) -> None:
    question = made["Question"]
    assert question["required"] == ["inner"]
    assert question["properties"]["place"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    signed = question["properties"]["signed"]
    assert signed == {"type": "boolean", "description": "If absent: `false`."}
    assert "default" not in str(made["Inner"])


def test_a_field_that_an_answer_always_has_is_required(made: dict[str, Any]) -> None:
    assert made["Reply"]["required"] == ["text", "place"]
    assert "default" not in str(made["Reply"])


def test_a_field_that_an_answer_leaves_out_is_not_required(made: dict[str, Any]) -> None:
    assert made["ShortReply"]["required"] == []
    assert "hint" not in made["Reply"]["required"]


def test_an_integer_without_a_small_maximum_has_64_bits(made: dict[str, Any]) -> None:
    assert made["Inner"]["properties"]["number"] == {"type": "integer", "format": "int64"}


def test_a_description_has_no_indentation_of_the_code(made: dict[str, Any]) -> None:
    assert made["Inner"]["description"] == "First line.\n\nSecond line."


def test_no_schema_of_the_api_has_a_default(schemas: dict[str, Any]) -> None:
    with_default = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if "default" in described
    ]
    assert with_default == []


def test_no_two_alternatives_are_said_to_exclude_each_other(document: dict[str, Any]) -> None:
    assert "'oneOf'" not in str(document)


def test_a_closed_set_is_of_texts(schemas: dict[str, Any]) -> None:
    assert all(schema["type"] == "string" for schema in schemas.values() if "enum" in schema)


def test_services_and_operations_are_known_by_their_tag(schemas: dict[str, Any]) -> None:
    for name in ("Check", "BatchOfSubjects", "PastSale"):
        service = schemas[name]["properties"]["service"]
        assert service["discriminator"]["propertyName"] == "type"
        assert len(service["discriminator"]["mapping"]) == len(service["anyOf"])


def test_the_bounds_of_a_batch_stand_in_the_document(schemas: dict[str, Any]) -> None:
    for name, items in (("BatchOfChecks", "checks"), ("BatchOfSubjects", "subjects")):
        assert schemas[name]["additionalProperties"] is False
        assert schemas[name]["properties"][items]["maxItems"] == BATCH_ITEMS_MAX


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.body], ids=lambda each: each.operation_id
)
def test_a_request_refuses_unknown_fields_in_the_document_too(
    operation: Any, schemas: dict[str, Any]
) -> None:
    for kind in operation.body.kinds:
        for member in getattr(kind, "__args__", (kind,)):
            assert schemas[member.__name__]["additionalProperties"] is False


def test_the_pattern_of_a_place_accepts_what_the_reader_accepts() -> None:
    pattern = re.compile(PLACE_PATTERN)
    codes = [f"{code:0{length}d}" for length in (2, 4, 6) for code in range(10**length)]
    for text in ("", "CN", "cn", "4", "440", "44088", *codes):
        assert (pattern.search(text) is not None) == _is_read(text), text


def _is_read(text: str) -> bool:
    try:
        parse_jurisdiction(text)
    except InvalidJurisdiction:
        return False
    return True


def test_the_fullest_view_of_a_correction_is_tried_first(document: dict[str, Any]) -> None:
    shown = document["paths"]["/v1/corrections/{correction_id}"]["get"]["responses"]["200"]
    alternatives = shown["content"]["application/json"]["schema"]["anyOf"]
    assert [each["$ref"].rpartition("/")[2] for each in alternatives] == [
        "CorrectionView",
        "CorrectionProgress",
    ]


def test_lines_are_a_text_whose_lines_have_a_schema(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/feed/snapshot"]["put"]["requestBody"]["content"]
    schema = body["application/x-ndjson"]["schema"]
    assert schema["type"] == "string"
    assert schema["contentSchema"] == {"$ref": "#/components/schemas/ListingLine"}
