"""A way back from each address that takes forms alone.

The switch of the language asks for the address of the page that is shown, by GET. After a form
without its script this is the address of the form. So such an address leads to the page above it.
"""

from collections.abc import Iterable

from litestar.handlers import HTTPRouteHandler

from checker.api.exchange import Reply
from checker.web.visit import Visit, page


def ways_back(pages: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return a page for each address of `pages` that has none: it leads to the page above."""
    paths = {
        method: {path for each in pages if method in each.http_methods for path in each.paths}
        for method in ("GET", "POST")
    }
    return [
        _way_back(path, _steps_to(path, paths["GET"]))
        for path in sorted(paths["POST"] - paths["GET"])
    ]


def _steps_to(path: str, shown: set[str]) -> int:
    """Return the number of segments that lie between a path and the page above it."""
    segments = path.split("/")
    steps = 1
    while "/".join(segments[:-steps]) not in shown and steps < len(segments) - 1:
        steps += 1
    return steps


def _way_back(path: str, steps: int) -> HTTPRouteHandler:
    @page("GET", path)
    async def lead_back(visit: Visit) -> Reply:
        return visit.redirect("/".join(visit.path.split("/")[:-steps]) or "/")

    return lead_back
