"""The headers of every answer that a browser or a cache could use against a person.

The table of routes drives the test, so a new address is in it from its first day. Each route is
asked by callers who may see its answer, and by callers who may not.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from checker.accounts.keys import MAY
from checker.api.access import OPERATION
from checker.api.app import create_app
from checker.api.operation import Operation
from checker.node.runtime import open_node
from checker.web.routes import SITE
from tests.support.asking import FLIGHT, ask
from tests.support.running_service import ROLES, RunningService
from tests.support.spending import hold
from tests.support.town import DEBTOR

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

APPLICATION = create_app(lambda: open_node(None, {}), site=SITE).routed  # type: ignore[arg-type]
"""The application with its routes; it is never started."""

ROUTES = sorted(
    (
        (method, route.path)
        for route in APPLICATION.routes
        for method in {str(each) for each in route.methods} | {"HEAD"}
    ),
    # A thing is read before it is deleted.
    key=lambda route: (route[0] == "DELETE", route),
)
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    (method, route.path): handler.opt[OPERATION]
    for route in APPLICATION.routes
    for handler in route.route_handlers
    for method in handler.http_methods
    if OPERATION in handler.opt
}
FOR_EVERYBODY = {
    "/.well-known/jwks.json",
    "/assets/{name:str}",
    "/docs",
    "/docs/assets/{file_path:path}",
    "/openapi.json",
    "/problems/{code:str}",
    "/v1/measures",
}
"""The routes whose answers are the same for everybody; a cache may keep those."""

PAGE_STATUSES = {200, 303, 401, 403, 404}


@pytest.fixture(scope="module")
def things(service: RunningService, town: object) -> dict[str, str]:
    """Make a thing of each kind that an address can name, by the name of the parameter."""
    with (
        service.client(service.keys["institution"]) as seller,
        service.client(service.keys["court"]) as court,
        service.client(service.keys["operator"]) as operator,
    ):
        decision = ask(seller, DEBTOR, FLIGHT)["id"]
        filing = {"decision_id": decision, "ground": "x", "contact": "someone@example.com"}
        made = {"name": f"headers {uuid4()}", "role": "institution"}
        account = operator.post("/v1/accounts", json=made).json()["id"]
        seller.put("/v1/webhook", json={"url": service.url})
        court.post("/v1/feed/changes", content=b"{}\n")
        return {
            "decision_id": decision,
            "correction_id": seller.post("/v1/corrections", json=filing).json()["id"],
            "authorization_id": hold(seller, DEBTOR, 1).json()["id"],
            "reconciliation_id": seller.post("/v1/reconciliations", content=b"").json()["id"],
            "line_id": str(court.get("/v1/feed/quarantine").json()["lines"][-1]["id"]),
            "account_id": account,
            "key_id": operator.post(f"/v1/accounts/{account}/keys").json()["id"],
            "code": "invalid-request",
            "name": "site.css",
            "file_path": "swagger-ui.css",
        }


@pytest.fixture(scope="module")
def callers(service: RunningService) -> Iterator[dict[str, httpx.Client]]:
    """Nobody, a program with the key of each role, and a browser of each role that has pages."""
    with ExitStack() as stack:
        opened = {"nobody": stack.enter_context(service.client())}
        for role in ROLES:
            opened[role] = stack.enter_context(service.client(service.keys[role]))
        for role in ("institution", "operator", "auditor"):
            browser = stack.enter_context(service.client())
            form = re.search(r'name="form_token" value="(\w+)"', browser.get("/sign-in").text)
            assert form is not None
            fields = {"form_token": form[1], "key": service.keys[role]}
            refuse_unsafe(browser.post("/sign-in", data=fields), "/sign-in")
            opened[f"browser of {role}"] = browser
        yield opened


def test_every_route_answers_with_safe_headers(
    callers: dict[str, httpx.Client], things: dict[str, str]
) -> None:
    seen: dict[tuple[str, str], set[int]] = {}
    for method, path in ROUTES:
        for address in (address_of(path, {}), address_of(path, things)):
            for client in asking(callers, method, path):
                response = client.request(method, address)
                refuse_unsafe(response, path)
                seen.setdefault((method, path), set()).add(response.status_code)
    unanswered = [
        route for route, found in seen.items() if route[0] == "GET" and not found & {200, 303}
    ]
    assert unanswered == [], "nobody has seen the answer itself"
    assert set().union(*seen.values()) >= PAGE_STATUSES


def address_of(path: str, things: Mapping[str, str]) -> str:
    """Return the address of a thing; a thing that is not made is called `nobody`."""
    return re.sub(r"\{(\w+):\w+\}", lambda found: things.get(found[1], "nobody"), path)


def asking(callers: dict[str, httpx.Client], method: str, path: str) -> Iterator[httpx.Client]:
    """Give nobody, and the callers that may see an answer of this route."""
    yield callers["nobody"]
    operation = OPERATIONS.get((method, path))
    if operation is not None and operation.may:
        yield next(callers[role.value] for role, may in MAY.items() if may & operation.may)
    elif operation is None:
        yield from (each for name, each in callers.items() if name.startswith("browser"))


def test_an_address_that_is_nowhere_answers_with_safe_headers(
    callers: dict[str, httpx.Client],
) -> None:
    for client in callers.values():
        for method, address in (
            ("GET", "/nowhere"),
            ("GET", "/desk/nowhere"),
            ("GET", "/assets/nowhere"),
            ("POST", "/healthz"),
            ("TRACE", "/v1/checks"),
            ("GET", "/healthz?unheard=1"),
        ):
            refuse_unsafe(client.request(method, address), address)


def test_the_cookies_of_a_session_are_kept_from_scripts_and_other_sites(
    service: RunningService,
) -> None:
    with service.client() as browser:
        page = browser.get("/sign-in?lang=en")
        form = re.search(r'name="form_token" value="(\w+)"', page.text)
        assert form is not None
        fields = {"form_token": form[1], "key": service.keys["institution"]}
        signed_in = browser.post("/sign-in", data=fields)
        desk = browser.get("/desk")
        form = re.search(r'name="form_token" value="(\w+)"', desk.text)
        assert form is not None
        signed_out = browser.post("/sign-out", data={"form_token": form[1]})
    for response in (page, signed_in, signed_out):
        assert response.headers.get_list("set-cookie")
        refuse_unsafe(response, "/sign-in")


def refuse_unsafe(response: httpx.Response, path: str) -> None:
    """Fail if the headers of an answer of this route can be used against a person."""
    place = f"{response.request.method} {path}: {response.status_code}"
    headers = response.headers
    assert headers["x-content-type-options"] == "nosniff", place
    assert not {"server", "x-powered-by"} & set(headers), place
    assert len(headers.get_list("cache-control")) <= 1, place
    if path not in FOR_EVERYBODY or "etag" not in headers:
        assert headers["cache-control"] == "no-store", place
    for cookie in headers.get_list("set-cookie"):
        flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/"} <= flags, place
        assert ("secure" in flags) is (response.request.url.scheme == "https"), place
        assert headers["cache-control"] == "no-store", place
    if headers.get("content-type", "").startswith("text/html"):
        _refuse_unsafe_page(headers, path, place)


def _refuse_unsafe_page(headers: httpx.Headers, path: str, place: str) -> None:
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy, place
    assert "frame-ancestors 'none'" in policy, place
    assert "base-uri 'none'" in policy, place
    assert "form-action" in policy, place
    assert "'unsafe-eval'" not in policy, place
    # Swagger UI writes styles into its elements.
    scripts = policy if path != "/docs" else policy.partition("script-src")[2].partition(";")[0]
    assert "'unsafe-inline'" not in scripts, place
    assert headers["referrer-policy"] == "no-referrer", place
