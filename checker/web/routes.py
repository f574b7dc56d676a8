"""The pages, collected from their modules, the files that they load, and their sessions."""

from collections.abc import Mapping
from importlib.resources import files
from types import ModuleType
from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from checker.api.app import Site
from checker.api.pages import KeptPage, Served
from checker.api.responses import respond
from checker.errors import NotFound
from checker.node.runtime import Runtime
from checker.web import home, sign_in
from checker.web.console import (
    account_pages,
    decision_pages,
    list_pages,
    overview,
    waiting_pages,
)
from checker.web.console.figures import ConsoleFigures
from checker.web.desk import check_form, orders, outcomes
from checker.web.manifests import pages as manifests
from checker.web.manifests.opening import open_manifests
from checker.web.rendering import HTML
from checker.web.self_check import corrections, law, self_check
from checker.web.self_check.own_entries import OwnEntries
from checker.web.sessions import Sessions
from checker.web.ways_back import ways_back

ASSETS: Final = "/assets"
MODULES: Final[tuple[ModuleType, ...]] = (
    home,
    sign_in,
    check_form,
    outcomes,
    orders,
    self_check,
    corrections,
    law,
    manifests,
    overview,
    waiting_pages,
    list_pages,
    decision_pages,
    account_pages,
)

_TYPES: Final = {
    ".html": HTML,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_HEADERS: Final = {"desk-worker.js": {"service-worker-allowed": check_form.DESK}}
"""A worker from `/assets` may serve the desk."""


def kept_assets() -> dict[str, Served]:
    """Return the files of the pages by their address. They never change while a process runs."""
    static = files("checker.web") / "static"
    return {
        f"{ASSETS}/{each.name}": KeptPage(
            each.read_bytes,
            _TYPES["." + each.name.rpartition(".")[2]],
            _HEADERS.get(each.name, {}),
        )
        for each in static.iterdir()
    }


@get(f"{ASSETS}/{{name:str}}")
async def show_asset(request: Request[Any, Any, Any]) -> Response[Any]:
    """Return a file of the pages.

    Raises:
        NotFound: there is no such file.
    """
    name: str = request.path_params["name"]
    served: Served | None = request.app.state.pages.get(f"{ASSETS}/{name}")
    if served is None:
        raise NotFound("nothing is at this address")
    return respond((await served.page()).reply(request.headers))


def _state_of(runtime: Runtime) -> Mapping[str, Any]:
    sessions = Sessions(
        store=runtime.sessions,
        key_ring=runtime.key_ring,
        sealer=runtime.sealer,
        clock=runtime.clock,
    )
    own_entries = OwnEntries(
        engine=runtime.engine,
        sealer=runtime.sealer,
        replica=runtime.replica,
        senders=runtime.senders,
        policies=runtime.policies,
    )
    return {
        "sessions": sessions,
        "own_entries": own_entries,
        "manifests": open_manifests(runtime, sessions),
        "figures": ConsoleFigures(runtime),
    }


_PAGES: Final = [
    found
    for module in MODULES
    for found in vars(module).values()
    if isinstance(found, HTTPRouteHandler)
]

SITE: Final = Site(
    handlers=[*_PAGES, *ways_back(_PAGES), show_asset],
    kept=kept_assets,
    state_of=_state_of,
)
"""All pages for people."""
