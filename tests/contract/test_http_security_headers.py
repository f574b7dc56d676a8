"""The headers of every answer that a browser or a cache could use against a person."""

import re

import httpx
import pytest

from checker.api.routes import OPERATIONS
from checker.web.routes import SITE
from tests.support.running_service import RunningService

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

ADDRESSES = sorted(
    {(each.method, re.sub(r"\{\w+\}", "nobody", each.path)) for each in OPERATIONS}
    | {
        (method, re.sub(r"\{[^}]+\}", "nobody", path))
        for handler in SITE.handlers
        for path in handler.paths
        for method in handler.http_methods
        if method in {"GET", "POST"}
    }
    | {("GET", "/nowhere"), ("POST", "/healthz"), ("GET", "/docs")}
)
OPEN = {"/openapi.json", "/docs", "/.well-known/jwks.json", "/v1/measures", "/problems/nobody"}
"""The addresses whose answers are the same for everybody; a cache may keep those."""


def test_no_answer_may_be_stored_sniffed_framed_or_names_the_server(
    service: RunningService, anyone: httpx.Client
) -> None:
    with service.client(service.keys["institution"]) as institution:
        for method, address in ADDRESSES:
            for client in (anyone, institution):
                response = client.request(method, address)
                place = f"{method} {address}: {response.status_code}"
                headers = response.headers
                assert headers["x-content-type-options"] == "nosniff", place
                assert "server" not in headers, place
                assert "x-powered-by" not in headers, place
                if address not in OPEN and not address.startswith("/assets/"):
                    assert headers["cache-control"] == "no-store", place
                if headers.get("content-type", "").startswith("text/html"):
                    policy = headers["content-security-policy"]
                    assert "default-src 'none'" in policy or "default-src 'self'" in policy, place
                    assert "frame-ancestors 'none'" in policy, place
                    assert "base-uri 'none'" in policy, place
                    assert "form-action" in policy, place
                    assert "'unsafe-eval'" not in policy, place
                    if address != "/docs":
                        assert "'unsafe-inline'" not in policy, place
                    assert headers["referrer-policy"] == "no-referrer", place
