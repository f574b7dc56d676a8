"""The API reference of the site has every operation and schema of the OpenAPI document."""

import json

import pytest

from docs.site.api_reference import api_pages, type_of
from tests.support.markdown_pages import GOLDEN, anchors

DOCUMENT = json.loads(GOLDEN.read_text(encoding="utf-8"))
PAGES = api_pages(DOCUMENT)


def test_every_operation_stands_on_the_page_of_its_tag_and_in_the_index():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            [tag] = operation["tags"]
            assert f"\n{method.upper()} {path}\n" in PAGES[f"{tag}.md"]
            assert operation["operationId"] in anchors(PAGES[f"{tag}.md"])
            assert f"({tag}.md#{operation['operationId']})" in PAGES["index.md"]


def test_every_schema_and_each_of_its_fields_stands_on_the_page_of_schemas():
    page = PAGES["schemas.md"]
    for name, schema in DOCUMENT["components"]["schemas"].items():
        section = page.partition(f"\n## {name} {{#{name}}}\n")[2].partition("\n## ")[0]
        assert section.strip()
        assert all(f"`{field}`" in section for field in schema.get("properties", ()))


def test_the_document_itself_is_part_of_the_site():
    assert json.loads(PAGES["openapi.json"]) == DOCUMENT


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"$ref": "#/components/schemas/Check"}, "[Check](schemas.md#Check)"),
        ({"type": "integer", "minimum": 0, "maximum": 5}, "integer, at least 0, at most 5"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"enum": ["held", "voided"], "type": "string"}, "`held`, `voided`"),
        (
            {"type": "array", "items": {"type": "string"}, "maxItems": 4},
            "list of string, at most 4 items",
        ),
        ({"type": "boolean", "default": False}, "boolean, default `false`"),
        ({}, "any value"),
    ],
)
def test_a_type_is_shown_in_words(schema, shown):
    assert type_of(schema) == shown
