"""Who may call what."""

import httpx
import pytest

from checker.api.openapi import EXCHANGES
from tests.support.asking import FLIGHT, G_TRAIN, ask, problem, question
from tests.support.running_service import ROLES, RunningService
from tests.support.spending import hold, keyed, listed_stranger, order, resort
from tests.support.town import DEBTOR, INNOCENT, TOWN, ndjson

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

RIGHT = question(INNOCENT, G_TRAIN)
AUTHORIZATION = "/v1/spending/authorizations/{authorization_id}"
ACCOUNT = "/v1/accounts/{account_id}"
EVERYBODY = set(ROLES)
FILERS = {"institution", "court", "operator"}
CORRECTION = {"ground": "此案已结清", "contact": "someone@example.com"}
ENDPOINT = {"url": "http://127.0.0.1:9/notices"}
# Each address, who may call it, and a request that is answered well; None: no key is asked for.
ACCESS: dict[tuple[str, str], tuple[set[str] | None, dict[str, object]]] = {
    ("/v1/checks", "post"): ({"institution"}, {"json": RIGHT}),
    ("/v1/checks/batch", "post"): ({"institution"}, {"json": {"checks": [RIGHT]}}),
    ("/v1/spending/authorizations", "post"): (
        {"institution"},
        {"json": question(INNOCENT, resort(100)), "headers": keyed("none")},
    ),
    (AUTHORIZATION, "get"): ({"institution"}, {}),
    (f"{AUTHORIZATION}/increment", "post"): (
        {"institution"},
        {"json": {"amount_fen": 1}, "headers": keyed("increment")},
    ),
    (f"{AUTHORIZATION}/capture", "post"): (
        {"institution"},
        {"json": {"amount_fen": 1}, "headers": keyed("capture")},
    ),
    (f"{AUTHORIZATION}/void", "post"): ({"institution"}, {"headers": keyed("void")}),
    (f"{AUTHORIZATION}/refund", "post"): (
        {"institution"},
        {"json": {"amount_fen": 1}, "headers": keyed("refund")},
    ),
    ("/v1/checks/{decision_id}/outcomes", "post"): ({"institution"}, {"json": {"outcome": "sold"}}),
    ("/v1/decisions/{decision_id}", "get"): ({"institution", "auditor"}, {}),
    ("/v1/decisions/export", "get"): ({"auditor"}, {}),
    ("/v1/reports", "get"): ({"operator", "auditor"}, {}),
    ("/v1/notices", "get"): ({"institution"}, {}),
    ("/v1/webhook", "put"): ({"institution"}, {"json": ENDPOINT}),
    ("/v1/webhook", "get"): ({"institution"}, {}),
    ("/v1/webhook/retry", "post"): ({"institution"}, {}),
    ("/v1/webhook", "delete"): ({"institution"}, {}),
    ("/v1/webhooks", "get"): ({"operator"}, {}),
    ("/v1/measures", "get"): (EVERYBODY, {}),
    ("/v1/list", "get"): ({"operator"}, {}),
    ("/.well-known/jwks.json", "get"): (None, {}),
    ("/v1/feed/snapshot", "put"): ({"court"}, {"content": ndjson(TOWN)}),
    ("/v1/feed/changes", "post"): ({"court"}, {"content": b""}),
    ("/v1/feed/quarantine", "get"): ({"court", "operator"}, {}),
    ("/v1/feed/quarantine/{line_id}", "get"): ({"court", "operator"}, {}),
    ("/v1/feed/quarantine/retry", "post"): ({"court"}, {"json": {}}),
    ("/v1/corrections", "post"): (FILERS, {"json": {"listing_id": "1", **CORRECTION}}),
    ("/v1/corrections", "get"): ({"court", "operator"}, {}),
    ("/v1/corrections/{correction_id}", "get"): (FILERS, {}),
    ("/v1/corrections/{correction_id}/ruling", "post"): (
        {"court"},
        {"json": {"ruling": "rejected"}},
    ),
    ("/v1/reconciliations", "post"): ({"institution"}, {"content": b""}),
    ("/v1/reconciliations", "get"): ({"institution"}, {}),
    ("/v1/reconciliations/{reconciliation_id}", "get"): ({"institution"}, {}),
    ("/v1/reconciliations/{reconciliation_id}/results", "get"): ({"institution"}, {}),
    ("/v1/accounts", "post"): ({"operator"}, {"json": {"name": "made", "role": "auditor"}}),
    ("/v1/accounts", "get"): ({"operator"}, {}),
    (ACCOUNT, "get"): ({"operator"}, {}),
    (ACCOUNT, "patch"): ({"operator"}, {"json": {}}),
    (f"{ACCOUNT}/clear_flag", "post"): ({"operator"}, {}),
    (f"{ACCOUNT}/keys", "post"): ({"operator"}, {"json": {}}),
    (f"{ACCOUNT}/keys", "get"): ({"operator"}, {}),
    (f"{ACCOUNT}/keys/{{key_id}}/rotate", "post"): ({"operator"}, {}),
    (f"{ACCOUNT}/keys/{{key_id}}", "delete"): ({"operator"}, {}),
    ("/healthz", "get"): (None, {}),
    ("/readyz", "get"): (None, {}),
    ("/metrics", "get"): (None, {}),
    ("/problems/{code}", "get"): (None, {}),
}
QUARANTINED: dict[str, int] = {}
"""The line that may be looked at; `quarantine` puts it there."""
DENIED: dict[str, str] = {}
"""The decision that may be looked at; `denied` has it made."""
HELD: dict[str, str] = {}
"""For each move the authorization that it is tried on; `held` makes them."""
FILED: dict[str, str] = {}
"""The correction and the reconciliation that are looked at; `filed` makes them."""
KEYLESS_TOO = {("/v1/corrections", "post"), ("/v1/corrections/{correction_id}", "get")}
"""For whoever has no key; a key that is sent must be a good one all the same."""
MANAGED: dict[str, str] = {}
"""The account and the key that operators try their addresses on; `managed` makes them."""
KEYED = [exchange for exchange, (roles, _) in ACCESS.items() if roles is not None]
OWNED = [
    (path, method)
    for path, method in KEYED
    if "{" in path
    and "institution" in (ACCESS[path, method][0] or ())
    and (path, method) not in KEYLESS_TOO
]
"""What an institution reaches by an id: its own, and no other's."""


def call(client: httpx.Client, exchange: tuple[str, str], **more: object) -> httpx.Response:
    path, method = exchange
    request = {**ACCESS[exchange][1], **more}
    if "headers" in more:
        request["headers"] = {**ACCESS[exchange][1].get("headers", {}), **more["headers"]}  # type: ignore[dict-item]
    address = path.format(
        code="unavailable",
        line_id=QUARANTINED["line_id"],
        decision_id=DENIED["id"],
        correction_id=FILED["correction_id"],
        reconciliation_id=FILED["reconciliation_id"],
        authorization_id=HELD.get(path.rpartition("/")[2], HELD["look"]),
        **MANAGED,
    )
    return client.request(method, address, **request)  # type: ignore[arg-type]


def test_the_table_of_access_names_every_address() -> None:
    assert set(ACCESS) == set(EXCHANGES)
    assert {exchange for exchange in EXCHANGES if EXCHANGES[exchange].keyed} == set(KEYED)
    assert {each for each in EXCHANGES if EXCHANGES[each].keyless_too} == KEYLESS_TOO


@pytest.fixture(scope="module", autouse=True)
def quarantine(court: httpx.Client) -> None:
    """Have a line in quarantine, in which nothing of anybody stands."""
    court.post("/v1/feed/changes", content=b"{}").raise_for_status()
    after: int | None = 0
    while after is not None:
        page = court.get("/v1/feed/quarantine", params={"after": after}).json()
        after = page["next"]
    QUARANTINED["line_id"] = page["lines"][-1]["id"]


@pytest.fixture(scope="module", autouse=True)
def denied(town: object, institution: httpx.Client) -> None:
    """Have somebody denied."""
    DENIED["id"] = ask(institution, DEBTOR, G_TRAIN)["id"]


@pytest.fixture(scope="module", autouse=True)
def held(town: object, court: httpx.Client, institution: httpx.Client) -> None:
    """Hold something for each move, of a debtor whom no other test knows."""
    debtor = listed_stranger(court)
    for move in ("look", "increment", "capture", "void", "refund"):
        HELD[move] = hold(institution, debtor.number, 10).json()["id"]
    order(institution, f"{HELD['refund']}/capture", amount_fen=10).raise_for_status()


@pytest.fixture(scope="module", autouse=True)
def filed(town: object, court: httpx.Client, institution: httpx.Client) -> None:
    """File a correction, and a reconciliation of nothing."""
    correction = court.post("/v1/corrections", json={"listing_id": "3", **CORRECTION})
    FILED["correction_id"] = correction.json()["id"]
    FILED["reconciliation_id"] = institution.post("/v1/reconciliations").json()["id"]


@pytest.fixture(scope="module", autouse=True)
def managed(operator: httpx.Client) -> None:
    """Have an account with a key, for operators to change."""
    made = operator.post("/v1/accounts", json={"name": "managed", "role": "institution"})
    MANAGED["account_id"] = made.json()["id"]
    key = operator.post(f"/v1/accounts/{MANAGED['account_id']}/keys")
    MANAGED["key_id"] = key.json()["id"]


@pytest.fixture
def endpoint(institution: httpx.Client) -> None:
    """Have an endpoint there, whoever removed it before."""
    institution.put("/v1/webhook", json=ENDPOINT).raise_for_status()


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("exchange", ACCESS)
def test_each_role_may_what_the_table_says(
    service: RunningService, exchange: tuple[str, str], role: str
) -> None:
    roles = ACCESS[exchange][0]
    with service.client(service.keys[role]) as client:
        response = call(client, exchange)
    if roles is None or role in roles:
        assert response.is_success, response.text
    else:
        problem(response, 403, "out-of-scope")


@pytest.mark.parametrize("exchange", OWNED)
def test_what_one_institution_owns_is_not_there_for_another(
    service: RunningService, exchange: tuple[str, str]
) -> None:
    with service.client(service.keys["leizhou"]) as stranger:
        problem(call(stranger, exchange), 404, "not-found")


@pytest.mark.parametrize("exchange", ACCESS)
def test_without_a_key_only_the_open_addresses_answer(
    anyone: httpx.Client, exchange: tuple[str, str]
) -> None:
    response = call(anyone, exchange)
    if ACCESS[exchange][0] is None or exchange in KEYLESS_TOO:
        assert response.is_success, response.text
    else:
        problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("exchange", KEYED)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ck_unknown",
        "Basic {key}",
        "{key}",
        "Bearer {cut}",
        "ck {key}",
    ],
)
def test_a_key_that_is_not_one_is_refused(
    service: RunningService, anyone: httpx.Client, exchange: tuple[str, str], value: str
) -> None:
    key = service.keys["institution"]
    authorization = value.format(key=key, cut=key[:-1])
    response = call(anyone, exchange, headers={"authorization": authorization})
    problem(response, 401, "unauthenticated")
    assert key[:-1] not in response.text


def test_the_scheme_of_a_key_is_read_in_any_case(
    service: RunningService, anyone: httpx.Client
) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"authorization": f"{scheme} {service.keys['institution']}"}
        assert anyone.post("/v1/checks", json=RIGHT, headers=headers).status_code == 200


def test_bytes_that_are_no_text_are_no_key(anyone: httpx.Client) -> None:
    headers = {b"authorization": b"Bearer \xff\xfe\xe9"}
    problem(anyone.post("/v1/checks", json=RIGHT, headers=headers), 401, "unauthenticated")


def test_a_key_asks_about_the_services_of_its_scope_alone(service: RunningService) -> None:
    with service.client(service.keys["rail only"]) as client:
        assert ask(client, DEBTOR, G_TRAIN)["decision"] == "deny"
        response = client.post("/v1/checks", json=question(DEBTOR, FLIGHT))
        problem(response, 403, "out-of-scope")


def test_a_scope_is_told_before_anything_of_the_document(service: RunningService) -> None:
    with service.client(service.keys["rail only"]) as client:
        response = client.post("/v1/checks", json=question("1234", FLIGHT))
    problem(response, 403, "out-of-scope")


def test_a_key_made_while_the_server_runs_works_at_once(service: RunningService) -> None:
    service.make_keys({"late": ("--role", "institution")})
    with service.client(service.keys["late"]) as client:
        assert ask(client, DEBTOR, G_TRAIN)["decision"] == "deny"
