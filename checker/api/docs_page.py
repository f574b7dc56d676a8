"""The OpenAPI document, the page that shows it, and the way of a browser to this page.

The page is Swagger UI from a wheel: a browser loads nothing from other hosts.
"""

import base64
import hashlib
from importlib import resources
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from litestar.static_files import create_static_files_router

from checker.api.exchange import JSON, encode
from checker.api.openapi import openapi_document
from checker.api.pages import KeptPage, Served
from checker.api.responses import respond
from checker.api.routes import OPERATIONS

DOCUMENT: Final = "/openapi.json"
DOCS: Final = "/docs"
ASSETS: Final = "/docs/assets"
HTML: Final = "text/html; charset=utf-8"
_ASSET_TYPES: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
"""The files that the page loads."""

_SCRIPT: Final = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true})'
_SCRIPT_HASH: Final = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_DOCS_HEADERS: Final = {
    # Swagger UI writes styles into its elements; it loads images as data.
    "content-security-policy": (
        f"default-src 'none'; script-src 'self' 'sha256-{_SCRIPT_HASH}'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
}

_PAGE: Final = """<!doctype html>
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
<script>{script}</script>
</body>
</html>
"""


def kept_pages() -> dict[str, Served]:
    """Return the pages that never change, by their address."""
    pages: dict[str, Served] = {
        DOCUMENT: KeptPage(rendered_document, JSON),
        DOCS: KeptPage(_page, HTML, _DOCS_HEADERS),
    }
    for name, media_type in _ASSET_TYPES.items():
        pages[f"{ASSETS}/{name}"] = KeptPage((_assets() / name).read_bytes, media_type)
    return pages


def rendered_document() -> bytes:
    """Return the OpenAPI document as JSON."""
    return encode(openapi_document(OPERATIONS, package_version("checker")))


@get(DOCUMENT, media_type=JSON)
async def show_document(request: Request[Any, Any, Any]) -> Response[Any]:
    """Return the OpenAPI document."""
    return await _respond_page(request, DOCUMENT)


@get(DOCS, media_type="text/html")
async def show_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """Return the page, which loads the document by itself."""
    return await _respond_page(request, DOCS)


PAGES: Final = (show_document, show_page)
"""The handlers of pages: open to anybody, and no operations of the API."""


def assets_router() -> Any:
    """Return a router for the files of the page, out of the wheel."""
    return create_static_files_router(ASSETS, [_assets()])


async def _respond_page(request: Request[Any, Any, Any], path: str) -> Response[Any]:
    served: Served = request.app.state.pages[path]
    return respond((await served.page()).reply(request.headers))


def _page() -> bytes:
    return _PAGE.format(assets=ASSETS, script=_SCRIPT).encode()


def _assets() -> Path:
    return Path(str(resources.files("swagger_ui"))) / "static"
