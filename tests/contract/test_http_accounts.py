"""Accounts and keys over HTTP and on the command line: who may what, and for how long."""

from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, ask, pointers, problem, question
from tests.support.changing import CONNECTIONS
from tests.support.running_service import RunningService, wait_until
from tests.support.town import DEBTOR, INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

ACCOUNTS = "/v1/accounts"
RIGHT = question(INNOCENT, G_TRAIN)
NOWHERE = "00000000-0000-4000-8000-000000000000"
NEXT = count()


def new_account(operator: httpx.Client, **more: Any) -> str:
    """Make an account, of an institution unless said, and give its address."""
    body = {"name": f"account {next(NEXT)}", "role": "institution", **more}
    response = operator.post(ACCOUNTS, json=body)
    assert response.status_code == 201, response.text
    address: str = response.headers["location"]
    assert address == f"{ACCOUNTS}/{response.json()['id']}"
    return address


def new_key(operator: httpx.Client, account: str, **more: Any) -> dict[str, Any]:
    response = operator.post(f"{account}/keys", json=more)
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    made: dict[str, Any] = response.json()
    return made


def status_of(service: RunningService, key: str) -> int:
    with service.client(key) as client:
        return client.post("/v1/checks", json=RIGHT).status_code


def is_out_of_force(service: RunningService, key: str) -> bool:
    """Whether no worker takes it any more: new connections spread over them."""
    return {status_of(service, key) for _ in range(CONNECTIONS)} == {401}


@pytest.fixture(scope="module")
def account(operator: httpx.Client) -> str:
    return new_account(operator)


def test_an_account_is_made_shown_listed_and_changed(operator: httpx.Client) -> None:
    scope = {
        "services": ["air", "rail"],
        "jurisdiction": "440800",
        "items_per_minute": 600,
        "items_per_day": 10_000,
        "networks": ["127.0.0.0/8", "2001:db8::/48"],
    }
    address = new_account(operator, **scope)
    shown = operator.get(address).json()
    assert shown.items() >= (scope | {"jurisdiction": "4408", "disabled_at": None}).items()
    changes = {"services": None, "items_per_day": 0, "name": f"renamed {next(NEXT)}"}
    changed = operator.patch(address, json=changes).json()
    assert changed == shown | changes == operator.get(address).json()
    after: int | None = 0
    listed = []
    while after is not None:
        page = operator.get(ACCOUNTS, params={"after": after, "limit": 3}).json()
        assert len(page["accounts"]) <= 3
        listed += page["accounts"]
        after = page["next"]
    assert changed in listed
    assert len({each["id"] for each in listed}) == len(listed)


def test_a_key_is_shown_once_and_recognised_by_its_beginning(
    service: RunningService, operator: httpx.Client, account: str
) -> None:
    made = new_key(operator, account)
    key = made.pop("key")
    assert key.startswith(made["prefix"])
    [shown] = [
        each for each in operator.get(f"{account}/keys").json()["keys"] if each["id"] == made["id"]
    ]
    assert shown == made
    assert status_of(service, key) == 200
    for address in (f"{account}/keys", account, ACCOUNTS):
        assert key[len(made["prefix"]) :] not in operator.get(address).text
    assert key not in service.log()


def test_a_keys_scope_holds_for_single_checks_and_for_each_item_of_a_batch(
    service: RunningService, operator: httpx.Client
) -> None:
    address = new_account(operator, services=["rail", "air"], jurisdiction="4408")
    key = new_key(operator, address, services=["rail"], jurisdiction="440882")["key"]
    with service.client(key) as client:
        measures = [each["measure"] for each in ask(client, DEBTOR, G_TRAIN)["reasons"]]
        assert any(measure.startswith("leizhou/") for measure in measures)
        problem(client.post("/v1/checks", json=question(DEBTOR, FLIGHT)), 403, "out-of-scope")
        both = {"checks": [question(DEBTOR, G_TRAIN), question(DEBTOR, FLIGHT)]}
        first, second = client.post("/v1/checks/batch", json=both).json()["results"]
        assert (first["decision"], second["error"]["code"]) == ("deny", "out-of-scope")


@pytest.mark.parametrize(
    ("wider", "pointer"),
    [
        ({"services": ["rail", "lodging"]}, "/services"),
        ({"jurisdiction": "31"}, "/jurisdiction"),
        ({"jurisdiction": "CN"}, "/jurisdiction"),
        ({"items_per_minute": 101}, "/items_per_minute"),
        ({"items_per_day": 1001}, "/items_per_day"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2099-01-01"}, "/expires_at"),
        ({"services": []}, "/services"),
        ({"services": [DEBTOR]}, "/services/0"),
        ({"jurisdiction": "99"}, "/jurisdiction"),
        ({"items_per_day": -1}, "/items_per_day"),
        ({"role": "operator"}, "/role"),
    ],
)
def test_a_key_that_may_more_than_its_account_or_ended_before_is_not_made(
    operator: httpx.Client, wider: dict[str, Any], pointer: str
) -> None:
    address = new_account(
        operator,
        services=["rail"],
        jurisdiction="44",
        items_per_minute=100,
        items_per_day=1000,
    )
    response = operator.post(f"{address}/keys", json=wider)
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "court"}, "/name"),
        ({"name": "x"}, "/role"),
        ({"name": "x", "role": "judge"}, "/role"),
        ({"name": " ", "role": "court"}, "/name"),
        ({"name": "x" * 201, "role": "court"}, "/name"),
        ({"name": "x", "role": "court", "quota": 1}, "/quota"),
        ({"name": "x", "role": "court", "items_per_day": 2**31}, "/items_per_day"),
    ],
)
def test_an_account_that_is_none_is_refused(
    operator: httpx.Client, body: dict[str, Any], pointer: str
) -> None:
    response = operator.post(ACCOUNTS, json=body)
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


def test_a_name_is_taken_once(operator: httpx.Client) -> None:
    body = {"name": "taken", "role": "court"}
    assert operator.post(ACCOUNTS, json=body).status_code == 201
    problem(operator.post(ACCOUNTS, json=body), 409, "conflict")


def test_a_revoked_key_is_none_on_every_worker(
    service: RunningService, operator: httpx.Client, account: str
) -> None:
    made = new_key(operator, account)
    # New connections spread over the workers: each must have known it.
    assert {status_of(service, made["key"]) for _ in range(CONNECTIONS)} == {200}
    address = f"{account}/keys/{made['id']}"
    revoked = operator.delete(address).json()
    wait_until(lambda: is_out_of_force(service, made["key"]))
    again = operator.delete(address).json()
    assert again["revoked_at"] == revoked["revoked_at"] is not None


def test_a_rotated_key_works_beside_its_successor_until_the_overlap_ends(
    service: RunningService, operator: httpx.Client, account: str
) -> None:
    old = new_key(operator, account, services=["rail"])
    address = f"{account}/keys/{old['id']}/rotate"
    response = operator.post(address, json={"overlap_seconds": 3600})
    assert response.status_code == 201
    new = response.json()
    assert (new["services"], new["prefix"]) == (["rail"], new["key"][:9])
    assert new["key"] != old["key"]
    assert status_of(service, old["key"]) == status_of(service, new["key"]) == 200
    problem(operator.post(address), 409, "conflict")
    at_once = operator.post(f"{account}/keys/{new['id']}/rotate", json={"overlap_seconds": 0})
    assert status_of(service, at_once.json()["key"]) == 200
    wait_until(lambda: status_of(service, new["key"]) == 401)


def test_forged_truncated_revoked_and_expired_keys_are_told_in_the_same_words(
    service: RunningService, operator: httpx.Client, account: str
) -> None:
    revoked, expired, good = (new_key(operator, account) for _ in range(3))
    operator.delete(f"{account}/keys/{revoked['id']}")
    rotate = f"{account}/keys/{expired['id']}/rotate"
    operator.post(rotate, json={"overlap_seconds": 0}).raise_for_status()
    wait_until(lambda: is_out_of_force(service, revoked["key"]))
    wait_until(lambda: is_out_of_force(service, expired["key"]))
    keys = (
        revoked["key"],
        expired["key"],
        good["key"][:-1],
        good["key"] + "A",
        good["key"].swapcase(),
        "ck_" + "A" * 43,
        "A" * 46,
    )
    told = set()
    for key in keys:
        with service.client(key) as client:
            response = client.post("/v1/checks", json=RIGHT)
        problem(response, 401, "unauthenticated")
        assert "ratelimit" not in response.headers
        told.add(response.text)
    assert len(told) == 1
    assert status_of(service, good["key"]) == 200


def test_a_disabled_account_has_no_key_in_force(
    service: RunningService, operator: httpx.Client
) -> None:
    address = new_account(operator)
    key = new_key(operator, address)["key"]
    assert status_of(service, key) == 200
    assert operator.patch(address, json={"disabled": True}).json()["disabled_at"] is not None
    wait_until(lambda: status_of(service, key) == 401)
    problem(operator.post(f"{address}/keys"), 409, "conflict")
    operator.patch(address, json={"disabled": False}).raise_for_status()
    wait_until(lambda: status_of(service, key) == 200)


def test_nobody_locks_themselves_out(service: RunningService, operator: httpx.Client) -> None:
    address = new_account(operator, role="operator")
    made = new_key(operator, address)
    with service.client(made["key"]) as client:
        problem(client.patch(address, json={"disabled": True}), 409, "conflict")
        problem(client.delete(f"{address}/keys/{made['id']}"), 409, "conflict")
        assert client.get(address).status_code == 200


def test_the_last_use_of_a_key_is_shown(
    service: RunningService, operator: httpx.Client, account: str
) -> None:
    made = new_key(operator, account)
    assert made["last_used_at"] is None
    assert status_of(service, made["key"]) == 200

    def last_used() -> str | None:
        keys = operator.get(f"{account}/keys", params={"limit": 1000}).json()["keys"]
        [at] = [key["last_used_at"] for key in keys if key["id"] == made["id"]]
        return at  # type: ignore[no-any-return]

    wait_until(lambda: last_used() is not None)


@pytest.mark.parametrize("account_id", ["x", NOWHERE, "%00", "{%7D", "urn:uuid:" + NOWHERE])
def test_an_account_that_is_none_is_not_found(operator: httpx.Client, account_id: str) -> None:
    address = f"{ACCOUNTS}/{account_id}"
    for response in (
        operator.get(address),
        operator.patch(address, json={"disabled": True}),
        operator.post(f"{address}/keys"),
        operator.get(f"{address}/keys"),
        operator.post(f"{address}/keys/{NOWHERE}/rotate"),
        operator.delete(f"{address}/keys/{NOWHERE}"),
    ):
        problem(response, 404, "not-found")


def test_a_key_of_another_account_is_not_found(operator: httpx.Client, account: str) -> None:
    theirs = new_account(operator)
    key = new_key(operator, theirs)
    problem(operator.delete(f"{account}/keys/{key['id']}"), 404, "not-found")
    problem(operator.post(f"{account}/keys/{key['id']}/rotate"), 404, "not-found")
