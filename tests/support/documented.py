"""Every answer of the running service is one that the OpenAPI document describes.

Reads the golden document; a test proves that the service sends the same.
"""

import json
import re
from functools import cache
from pathlib import Path

import httpx

GOLDEN = Path(__file__).parents[1] / "contract" / "openapi.json"
# An answer of the HTTP layer itself, or a bug.
_NOT_OF_AN_OPERATION = {405, 500}


def refuse_undocumented(response: httpx.Response) -> None:
    """Fail if the operation of an answer has no such status, or no such media type."""
    described = _responses(response.request.method, response.request.url.path)
    if described is None or response.status_code in _NOT_OF_AN_OPERATION:
        return
    shown = f"{response.request.method} {response.request.url.path}: {response.status_code}"
    assert str(response.status_code) in described, f"{shown} is not in the OpenAPI document"
    media_types = described[str(response.status_code)]
    media_type = response.headers.get("content-type", "").partition(";")[0]
    assert media_type in media_types or not media_types, f"{shown} has the type {media_type}"


@cache
def _operations() -> list[tuple[str, re.Pattern[str], dict[str, set[str]]]]:
    document = json.loads(GOLDEN.read_text(encoding="utf-8"))
    shared = document["components"]["responses"]
    # Addresses without parameters first: of two that match, they are meant.
    paths = sorted(document["paths"].items(), key=lambda each: each[0].count("{"))
    return [
        (
            method.upper(),
            _pattern(path),
            {
                status: _media_types(found, shared)
                for status, found in operation["responses"].items()
            },
        )
        for path, methods in paths
        for method, operation in methods.items()
    ]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path))))


def _media_types(response: dict[str, object], shared: dict[str, dict[str, object]]) -> set[str]:
    reference = response.get("$ref")
    found = shared[str(reference).rpartition("/")[2]] if reference else response
    return set(found.get("content", ()))  # type: ignore[call-overload]


def _responses(method: str, path: str) -> dict[str, set[str]] | None:
    for known, pattern, responses in _operations():
        if known == method and pattern.fullmatch(path):
            return responses
    return None
