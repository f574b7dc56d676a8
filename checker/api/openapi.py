"""The OpenAPI document and the page that shows it.

What goes in and out is described from the very structs that decode and encode it, by msgspec, so
that the document cannot say anything else than the code does; a test holds the table of addresses
against the routes. The page is Swagger UI from a wheel: nothing is loaded from elsewhere.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from importlib import resources
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from litestar.static_files import create_static_files_router

from checker.api.checks import BatchAnswer, BatchOfChecks, BatchOfSubjects, ItemError
from checker.api.health import Health, Readiness
from checker.api.list import ListView
from checker.api.measures import Measures
from checker.api.problems import MEDIA_TYPE, Problem, ProblemKind
from checker.api.responses import respond_json
from checker.checks.answer import Answer, BatchItem
from checker.checks.request import Check
from checker.registry.listing_format import ListingLine
from checker.registry.snapshot import FeedReport

DOCS = "/docs"
ASSETS = "/docs/assets"
JSON = "application/json"
NDJSON = "application/x-ndjson"
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_REFERENCE = "#/components/schemas/{name}"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in and comes out at one address. Without a key where `keyed` is false."""

    summary: str
    answer: Any
    body: Any = None
    example: Any = None
    other_body: Any = None
    body_media_type: str = JSON
    answer_media_type: str = JSON
    parameters: Mapping[str, Any] = {}
    problems: tuple[int, ...] = ()
    keyed: bool = True


_EXAMPLE = {
    "subject": {
        "document": {"type": "resident_id", "number": "440882189001011230"},
        "name": "陈示例",
    },
    "service": {"type": "rail", "train": "G79", "seat": "second"},
    "jurisdiction": "440882",
    "reference": "ORDER-1",
}

EXCHANGES: Mapping[tuple[str, str], Exchange] = {
    ("/v1/checks", "post"): Exchange(
        summary="Ask whether a subject may buy a service",
        body=Check,
        example=_EXAMPLE,
        answer=Answer,
        problems=(400, 401, 403, 413, 422, 503),
    ),
    ("/v1/checks/batch", "post"): Exchange(
        summary="Ask about up to 10 000 subjects at once",
        body=BatchOfChecks,
        other_body=BatchOfSubjects,
        answer=BatchAnswer,
        problems=(400, 401, 403, 413, 503),
    ),
    ("/v1/measures", "get"): Exchange(
        summary="All measures in force, with their sources", answer=Measures, problems=(401, 503)
    ),
    ("/v1/list", "get"): Exchange(
        summary="The state of the list", answer=ListView, problems=(401, 403, 503)
    ),
    ("/v1/feed/snapshot", "put"): Exchange(
        summary="Replace the whole list in one step",
        body=ListingLine,
        body_media_type=NDJSON,
        answer=FeedReport,
        parameters={
            "format": {"type": "string", "enum": ["listing", "zxgk"], "default": "listing"},
            "allow_empty": {"type": "boolean", "default": False},
        },
        problems=(400, 401, 403, 503),
    ),
    ("/healthz", "get"): Exchange(summary="Whether the process lives", answer=Health, keyed=False),
    ("/readyz", "get"): Exchange(
        summary="Whether checks can be answered", answer=Readiness, problems=(503,), keyed=False
    ),
    ("/metrics", "get"): Exchange(
        summary="Counts in Prometheus's text format",
        answer=str,
        answer_media_type="text/plain",
        keyed=False,
    ),
    ("/problems/{code}", "get"): Exchange(
        summary="What a problem means and what to do about it",
        answer=ProblemKind,
        problems=(404,),
        keyed=False,
    ),
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>checker: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({{url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true}})</script>
</body>
</html>
"""


def openapi_document(version: str) -> dict[str, Any]:
    """Describe the whole API as OpenAPI 3.1."""
    schemas, components = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), exchange in EXCHANGES.items():
        paths.setdefault(path, {})[method] = _operation(path, exchange, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "checker",
            "version": version,
            "description": "Whether a listed judgment defaulter (失信被执行人) may buy.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


@get("/openapi.json", media_type=JSON)
async def show_document() -> Response[bytes]:
    """Give the OpenAPI document."""
    return respond_json(openapi_document(package_version("checker")))


@get(DOCS, media_type="text/html")
async def show_page() -> Response[str]:
    """Show the document; the page reads it by itself."""
    return Response(_PAGE.format(assets=ASSETS), media_type="text/html; charset=utf-8")


def _schemas() -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    types: list[Any] = [Problem, BatchItem, ItemError]
    for exchange in EXCHANGES.values():
        told = (exchange.body, exchange.other_body, exchange.answer)
        types += [kind for kind in told if kind is not None and kind not in types]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    return dict(zip(types, schemas, strict=True)), components


def _operation(
    path: str, exchange: Exchange, schemas: Mapping[Any, dict[str, Any]]
) -> dict[str, Any]:
    answer = {exchange.answer_media_type: {"schema": schemas[exchange.answer]}}
    problem = {MEDIA_TYPE: {"schema": schemas[Problem]}}
    responses = {"200": {"description": "The answer", "content": answer}}
    for status in exchange.problems:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    told: dict[str, Any] = {"summary": exchange.summary, "responses": responses}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(path)
    ] + [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in exchange.parameters.items()
    ]
    if parameters:
        told["parameters"] = parameters
    if exchange.body is not None:
        body = schemas[exchange.body]
        if exchange.other_body is not None:
            body = {"oneOf": [body, schemas[exchange.other_body]]}
        content: dict[str, Any] = {exchange.body_media_type: {"schema": body}}
        if exchange.example is not None:
            content[exchange.body_media_type]["example"] = exchange.example
        told["requestBody"] = {"required": True, "content": content}
    if exchange.keyed:
        told["security"] = [{"key": []}]
    return told


def assets_router() -> Any:
    """Serve the page's files from the wheel."""
    folder = Path(str(resources.files("swagger_ui"))) / "static"
    return create_static_files_router(ASSETS, [folder])
