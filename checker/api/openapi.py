"""The OpenAPI document and the page that shows it.

What goes in and out is described from the very structs that decode and encode it, by msgspec, so
that the document cannot say anything else than the code does; a test holds the table of addresses
against the routes. The page is Swagger UI from a wheel: nothing is loaded from elsewhere.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib import resources
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.static_files import create_static_files_router

from checker.api.checks import ItemError
from checker.api.exchange import encode
from checker.api.exchanges import EXCHANGES
from checker.api.exchanges.exchange import JSON, Exchange
from checker.api.feed_terms import KEY_HEADER, KEY_LENGTH_MAX, MATCH_HEADER
from checker.api.pages import KeptPage, Served
from checker.api.problems import MEDIA_TYPE, Problem
from checker.api.responses import respond
from checker.checks.answer import BatchItem

DOCUMENT = "/openapi.json"
DOCS = "/docs"
ASSETS = "/docs/assets"
HTML = "text/html; charset=utf-8"
_ASSET_TYPES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
"""The files that the page loads."""
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_REFERENCE = "#/components/schemas/{name}"

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


def _document() -> bytes:
    return encode(openapi_document(package_version("checker")))


def _page() -> bytes:
    return _PAGE.format(assets=ASSETS).encode()


def kept_pages() -> dict[str, Served]:
    """Return the pages that never change, by their address."""
    pages: dict[str, Served] = {
        DOCUMENT: KeptPage(_document, JSON),
        DOCS: KeptPage(_page, HTML),
    }
    for name, media_type in _ASSET_TYPES.items():
        pages[f"{ASSETS}/{name}"] = KeptPage((_assets() / name).read_bytes, media_type)
    return pages


@get(DOCUMENT, media_type=JSON)
async def show_document(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give the OpenAPI document."""
    return await respond_page(request, DOCUMENT)


@get(DOCS, media_type="text/html")
async def show_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Show the document; the page reads it by itself."""
    return await respond_page(request, DOCS)


async def respond_page(request: Request[Any, Any, Any], path: str) -> Response[bytes]:
    """Answer with the page of an address, as the lane does."""
    served: Served = request.app.state.pages[path]
    return respond((await served.page()).reply(request.headers))


def _schemas() -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    types: list[Any] = [Problem, BatchItem, ItemError]
    for exchange in EXCHANGES.values():
        told = (
            *(exchange.body, exchange.other_body),
            *(exchange.answer, exchange.other_answer, exchange.created, exchange.accepted),
        )
        types += [kind for kind in told if kind is not None and kind not in types]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    return dict(zip(types, schemas, strict=True)), components


def _responses(exchange: Exchange, schemas: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    answers = [each for each in (exchange.answer, exchange.other_answer) if each is not None]
    problem = {MEDIA_TYPE: {"schema": schemas[Problem]}}
    responses: dict[str, Any] = {}
    if answers:
        responses["200"] = _answered(exchange, answers, schemas)
    if exchange.created is not None:
        responses["201"] = _answered(exchange, [exchange.created], schemas)
    if exchange.accepted is not None:
        responses["202"] = _answered(exchange, [exchange.accepted], schemas)
    if not responses:
        responses["204"] = {"description": "Done; there is nothing to say"}
    for status in exchange.problems:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses


def _operation(
    path: str, exchange: Exchange, schemas: Mapping[Any, dict[str, Any]]
) -> dict[str, Any]:
    responses = _responses(exchange, schemas)
    told: dict[str, Any] = {"summary": exchange.summary, "responses": responses}
    parameters = [
        _parameter(name, "path", {"type": "string"}) for name in _PATH_PARAMETER.findall(path)
    ]
    parameters += [
        _parameter(name, "query", schema) for name, schema in exchange.parameters.items()
    ]
    key = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX}
    if exchange.idempotent:
        parameters.append(_parameter(KEY_HEADER, "header", key))
    if exchange.conditional:
        parameters.append(_parameter(KEY_HEADER, "header", key) | {"required": False})
        version = {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,17})"$'}
        parameters.append(_parameter(MATCH_HEADER, "header", version) | {"required": False})
    if parameters:
        told["parameters"] = parameters
    if exchange.body is not None:
        body = schemas[exchange.body]
        if exchange.other_body is not None:
            body = {"oneOf": [body, schemas[exchange.other_body]]}
        content: dict[str, Any] = {exchange.body_media_type: {"schema": body}}
        if exchange.example is not None:
            content[exchange.body_media_type]["example"] = exchange.example
        told["requestBody"] = {"required": exchange.needs_body, "content": content}
    if exchange.keyed:
        told["security"] = [{"key": []}, {}] if exchange.keyless_too else [{"key": []}]
    return told


def _answered(
    exchange: Exchange, answers: Sequence[Any], schemas: Mapping[Any, dict[str, Any]]
) -> dict[str, Any]:
    schema = schemas[answers[0]]
    if len(answers) > 1:
        schema = {"oneOf": [schemas[each] for each in answers]}
    content = {exchange.answer_media_type: {"schema": schema}}
    return {"description": "The answer", "content": content}


def _parameter(name: str, place: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place != "query", "schema": schema}


def assets_router() -> Any:
    """Serve the page's files from the wheel."""
    return create_static_files_router(ASSETS, [_assets()])


def _assets() -> Path:
    return Path(str(resources.files("swagger_ui"))) / "static"
