"""Who may call what."""

from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest

from checker.accounts.keys import MAY, AccountRole
from checker.api.operation import KeyUse, Operation
from checker.api.routes import OPERATIONS
from tests.support.asking import FLIGHT, G_TRAIN, ask, problem, question
from tests.support.running_service import ROLES, RunningService
from tests.support.spending import hold, keyed, listed_stranger, order, resort
from tests.support.town import DEBTOR, INNOCENT, TOWN, ndjson

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

RIGHT = question(INNOCENT, G_TRAIN)
CORRECTION = {"ground": "此案已结清", "contact": "someone@example.com"}
ENDPOINT = {"url": "http://127.0.0.1:9/notices"}
GOLDEN = Path(__file__).with_name("access.txt")
RENEW = "access has changed; if this was meant, write this text to tests/contract/access.txt:\n"
# A request that is answered well, where a bare one would not be.
REQUESTS: dict[str, dict[str, object]] = {
    "create_check": {"json": RIGHT},
    "create_batch": {"json": {"checks": [RIGHT]}},
    "create_authorization": {"json": question(INNOCENT, resort(100)), "headers": keyed("none")},
    "increment_authorization": {"json": {"amount_fen": 1}, "headers": keyed("increment")},
    "capture_authorization": {"json": {"amount_fen": 1}, "headers": keyed("capture")},
    "void_authorization": {"headers": keyed("void")},
    "refund_authorization": {"json": {"amount_fen": 1}, "headers": keyed("refund")},
    "report_outcome": {"json": {"outcome": "sold"}},
    "put_webhook": {"json": ENDPOINT},
    "put_snapshot": {"content": ndjson(TOWN)},
    "post_changes": {"content": b""},
    "retry_quarantine": {"json": {}},
    "file_correction": {"json": {"listing_id": "1", **CORRECTION}},
    "rule_on_correction": {"json": {"ruling": "rejected"}},
    "create_reconciliation": {"content": b""},
    "create_account": {"json": {"name": "made", "role": "auditor"}},
    "change_account": {"json": {}},
    "create_account_key": {"json": {}},
}
QUARANTINED: dict[str, int] = {}
"""The line that may be looked at; `quarantine` puts it there."""
DENIED: dict[str, str] = {}
"""The decision that may be looked at; `denied` has it made."""
HELD: dict[str, str] = {}
"""For each move the authorization that it is tried on; `held` makes them."""
FILED: dict[str, str] = {}
"""The correction and the reconciliation that are looked at; `filed` makes them."""
MANAGED: dict[str, str] = {}
"""The account and the key that operators try their addresses on; `managed` makes them."""
KEYED = [each for each in OPERATIONS if each.key is not KeyUse.NONE]
OWNED = [
    each
    for each in OPERATIONS
    if "{" in each.path
    and each.key is KeyUse.REQUIRED
    and any(action in MAY[AccountRole.INSTITUTION] for action in each.may)
]
"""What an institution reaches by an id: its own, and no other's."""


def named(operations: Iterable[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "operation", [pytest.param(each, id=each.operation_id) for each in operations]
    )


def roles_of(operation: Operation) -> set[str]:
    return {role.value for role in AccountRole if MAY[role] & operation.may}


def who_may_call(operation: Operation) -> str:
    if operation.key is KeyUse.NONE:
        return "anybody"
    keyless = ", without a key too" if operation.key is KeyUse.OPTIONAL else ""
    return " ".join(role for role in ROLES if role in roles_of(operation)) + keyless


def call(client: httpx.Client, operation: Operation, **more: object) -> httpx.Response:
    request = {**REQUESTS.get(operation.operation_id, {}), **more}
    if "headers" in more:
        own = REQUESTS.get(operation.operation_id, {}).get("headers", {})
        request["headers"] = {**own, **more["headers"]}  # type: ignore[dict-item]
    address = operation.path.format(
        code="unavailable",
        line_id=QUARANTINED["line_id"],
        decision_id=DENIED["id"],
        correction_id=FILED["correction_id"],
        reconciliation_id=FILED["reconciliation_id"],
        authorization_id=HELD.get(operation.path.rpartition("/")[2], HELD["look"]),
        **MANAGED,
    )
    return client.request(operation.method, address, **request)  # type: ignore[arg-type]


def test_who_may_call_what_is_as_it_was_agreed() -> None:
    lines = sorted(
        f"{each.path:<55} {each.method:<6} {who_may_call(each)}\n" for each in OPERATIONS
    )
    derived = "".join(lines)
    assert GOLDEN.read_text(encoding="utf-8") == derived, RENEW + derived


def test_requests_are_kept_for_addresses_that_are_there() -> None:
    assert REQUESTS.keys() <= {each.operation_id for each in OPERATIONS}


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
@named(OPERATIONS)
def test_each_role_may_what_the_table_says(
    service: RunningService, operation: Operation, role: str
) -> None:
    with service.client(service.keys[role]) as client:
        response = call(client, operation)
    if operation.key is KeyUse.NONE or role in roles_of(operation):
        assert response.is_success, response.text
    else:
        problem(response, 403, "out-of-scope")


@named(OWNED)
def test_what_one_institution_owns_is_not_there_for_another(
    service: RunningService, operation: Operation
) -> None:
    with service.client(service.keys["leizhou"]) as stranger:
        problem(call(stranger, operation), 404, "not-found")


@named(OPERATIONS)
def test_without_a_key_only_the_open_addresses_answer(
    anyone: httpx.Client, operation: Operation
) -> None:
    response = call(anyone, operation)
    if operation.key is not KeyUse.REQUIRED:
        assert response.is_success, response.text
    else:
        problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"


@named(KEYED)
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
    service: RunningService, anyone: httpx.Client, operation: Operation, value: str
) -> None:
    key = service.keys["institution"]
    authorization = value.format(key=key, cut=key[:-1])
    response = call(anyone, operation, headers={"authorization": authorization})
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
