"""An address that takes forms alone leads to the page above it."""

from litestar.handlers import HTTPRouteHandler

from checker.web.routes import SITE


def addresses(method: str) -> set[str]:
    return {
        path
        for each in SITE.handlers
        if isinstance(each, HTTPRouteHandler) and method in each.http_methods
        for path in each.paths
    }


def test_each_address_of_a_form_also_shows_something() -> None:
    assert addresses("POST") <= addresses("GET")
