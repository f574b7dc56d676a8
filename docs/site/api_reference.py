"""Renders the OpenAPI document as pages: one for each tag, one of all schemas, and an index.

Knows OpenAPI 3.1 as the service writes it, and nothing of the service. Each operation has its
`operationId` as anchor, and each schema its name.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

PATTERN_CHARACTERS_MAX: Final = 60
"""A longer pattern fills a page and helps nobody: the document itself has it."""

_SCHEMAS: Final = "schemas.md"
_Json = Mapping[str, Any]
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def api_pages(document: _Json) -> dict[str, str]:
    """Return the text of each page by its file name, and the document as `openapi.json`."""
    pages = {f"{tag['name']}.md": _page(document, tag) for tag in document["tags"]}
    return pages | {
        "index.md": _index(document),
        _SCHEMAS: _schemas(document),
        "openapi.json": json.dumps(document, ensure_ascii=False, indent=1),
    }


def _index(document: _Json) -> str:
    lines = [
        "# The API",
        "",
        "These pages are made from the OpenAPI document of the service at each build. A running",
        "service sends the document at `/openapi.json`; [openapi.json](openapi.json) is a copy.",
        "[Problems](../problems.md) lists all errors.",
    ]
    for tag in document["tags"]:
        lines += ["", f"## {tag['name']}", "", tag["description"], "", "| | |", "|---|---|"]
        lines += [
            f"| `{method} {path}` | [{one['summary']}]({tag['name']}.md#{one['operationId']}) |"
            for method, path, one in _operations(document, tag["name"])
        ]
    return "\n".join(lines) + "\n"


def _operations(document: _Json, tag: str) -> Iterator[tuple[str, str, _Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method.upper(), path, operation


def _page(document: _Json, tag: _Json) -> str:
    lines = [f"# {tag['name']}", "", tag["description"]]
    for method, path, operation in _operations(document, tag["name"]):
        lines += ["", f"## {operation['summary']} {{#{operation['operationId']}}}", ""]
        lines += ["```text", f"{method} {path}", "```", "", operation.get("description", "")]
        lines += ["", f"Key: {_key(operation)}.", *_parameters(operation)]
        lines += _request(operation.get("requestBody", {}))
        lines += _responses(document, operation["responses"])
    return "\n".join(lines) + "\n"


def _key(operation: _Json) -> str:
    """Return whether an operation needs a key. An empty requirement means that none is needed."""
    security = operation.get("security", [])
    if not security:
        return "not needed"
    return "not needed, but read" if {} in security else "needed"


def _parameters(operation: _Json) -> list[str]:
    if not operation.get("parameters"):
        return []
    lines = ["", "| parameter | in | type | meaning |", "|---|---|---|---|"]
    for one in operation["parameters"]:
        must = ", required" if one.get("required") else ""
        kind = _cell(type_of(one["schema"]))
        lines.append(f"| `{one['name']}` | {one['in']}{must} | {kind} | {_text(one)} |")
    return lines


def _request(body: _Json) -> list[str]:
    lines: list[str] = []
    for media_type, content in body.get("content", {}).items():
        lines += ["", f"Body, `{media_type}`: {_of_content(content)}"]
        lines += _example(content)
    return lines


def _responses(document: _Json, responses: _Json) -> list[str]:
    lines = ["", "| status | meaning | body |", "|---|---|---|"]
    examples: list[str] = []
    for status, found in responses.items():
        response = _resolved(document, found)
        contents = response.get("content", {})
        bodies = [f"`{kind}`: {_of_content(one)}" for kind, one in contents.items()]
        lines.append(f"| {status} | {_text(response)} | {_cell('<br>'.join(bodies))} |")
        if status.startswith("2"):
            examples += [line for one in contents.values() for line in _example(one)]
    return lines + examples


def _resolved(document: _Json, found: _Json) -> _Json:
    reference = found.get("$ref")
    if reference is None:
        return found
    resolved: _Json = document["components"]["responses"][_last(reference)]
    return resolved


def _of_content(content: _Json) -> str:
    schema = content.get("schema", {})
    if "contentSchema" in schema:
        return f"lines, each {type_of(schema['contentSchema'])}"
    return type_of(schema)


def _example(content: _Json) -> list[str]:
    example = content.get("example")
    if example is None:
        return []
    if isinstance(example, str):
        return ["", "```text", example.rstrip("\n"), "```"]
    return ["", "```json", json.dumps(example, ensure_ascii=False, indent=2), "```"]


def _schemas(document: _Json) -> str:
    lines = ["# Schemas"]
    for name, schema in document["components"]["schemas"].items():
        lines += ["", f"## {name} {{#{name}}}", "", schema.get("description", "")]
        if "properties" in schema:
            lines += ["", *_fields(schema)]
        else:
            lines += ["", type_of(schema)]
    return "\n".join(lines) + "\n"


def _fields(schema: _Json) -> list[str]:
    required = set(schema.get("required", ()))
    lines = ["| field | type | meaning |", "|---|---|---|"]
    for name, one in schema["properties"].items():
        shown = f"**`{name}`**" if name in required else f"`{name}`"
        lines.append(f"| {shown} | {_cell(type_of(one))} | {_text(one)} |")
    return [*lines, "", "Bold fields are required."]


def type_of(schema: _Json) -> str:
    """Return the type of a value in words, with links to the schemas it consists of."""
    if "$ref" in schema:
        name = _last(schema["$ref"])
        return f"[{name}]({_SCHEMAS}#{name})"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(type_of(one) for one in schema[choice])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any value")
    if kind == "array":
        kind = f"list of {type_of(schema.get('items', {}))}"
    return ", ".join([kind if isinstance(kind, str) else " or ".join(kind), *_bounds(schema)])


def _bounds(schema: _Json) -> Iterator[str]:
    if "format" in schema:
        yield f"`{schema['format']}`"
    for name, words in _BOUNDS.items():
        if name in schema:
            yield words.format(schema[name])
    pattern = schema.get("pattern", "")
    if 0 < len(pattern) <= PATTERN_CHARACTERS_MAX:
        yield f"`{pattern}`"
    if "default" in schema:
        yield f"default `{json.dumps(schema['default'])}`"


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def _text(described: _Json) -> str:
    return _cell(described.get("description", ""))


def _cell(text: str) -> str:
    """Return a text in the form that one cell of a table can hold."""
    return text.replace("\n", " ").replace("|", "\\|")
