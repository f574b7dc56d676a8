"""Every answer of the running service is one that the OpenAPI document describes.

Reads the golden document; a test proves that the service sends the same.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema

GOLDEN = Path(__file__).parents[1] / "contract" / "openapi.json"
# An answer of the HTTP layer itself, or a bug.
_NOT_OF_AN_OPERATION = {405, 500}


# Longer answers are batches of thousands, whose items have the schema of the items of short ones.
_VALIDATED_BYTES_MAX = 64 * 1024

_Contents = dict[str, Any]
"""The described content of an answer by its media type."""


def refuse_undocumented(response: httpx.Response) -> None:
    """Fail if the operation of an answer has no such status, media type or body."""
    described = _responses(response.request.method, response.request.url.path)
    if described is None or response.status_code in _NOT_OF_AN_OPERATION:
        return
    shown = f"{response.request.method} {response.request.url.path}: {response.status_code}"
    assert str(response.status_code) in described, f"{shown} is not in the OpenAPI document"
    contents = described[str(response.status_code)]
    media_type = response.headers.get("content-type", "").partition(";")[0]
    assert media_type in contents or not contents, f"{shown} has the type {media_type}"
    if media_type.endswith("json") and len(response.read()) <= _VALIDATED_BYTES_MAX:
        faults = _faults(response, contents[media_type]["schema"])
        assert not faults, f"{shown} is not as described, at {faults}"


def _faults(response: httpx.Response, schema: dict[str, Any]) -> list[Any]:
    """Return the places at fault, and no message of the validator, which quotes the answer."""
    values = [json.loads(line) for line in response.text.splitlines()]
    validator = _validator(json.dumps(schema.get("contentSchema", schema)))
    return [list(error.absolute_path) for each in values for error in validator.iter_errors(each)]


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return document


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    whole = json.loads(schema) | {"components": _document()["components"]}
    return jsonschema.Draft202012Validator(whole)


@cache
def _operations() -> list[tuple[str, re.Pattern[str], dict[str, _Contents]]]:
    document = _document()
    shared = document["components"]["responses"]
    # Addresses without parameters first: of two that match, they are meant.
    paths = sorted(document["paths"].items(), key=lambda each: each[0].count("{"))
    return [
        (
            method.upper(),
            _pattern(path),
            {status: _contents(found, shared) for status, found in operation["responses"].items()},
        )
        for path, methods in paths
        for method, operation in methods.items()
    ]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path))))


def _contents(response: dict[str, Any], shared: dict[str, dict[str, Any]]) -> _Contents:
    reference = response.get("$ref")
    found = shared[str(reference).rpartition("/")[2]] if reference else response
    contents: _Contents = found.get("content", {})
    return contents


def _responses(method: str, path: str) -> dict[str, _Contents] | None:
    for known, pattern, responses in _operations():
        if known == method and pattern.fullmatch(path):
            return responses
    return None
