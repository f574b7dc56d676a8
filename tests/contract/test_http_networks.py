"""The networks from which an account may call, over HTTP."""

from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.asking import G_TRAIN, pointers, problem, question
from tests.support.running_service import RunningService, wait_until
from tests.support.town import INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

ACCOUNTS = "/v1/accounts"
RIGHT = question(INNOCENT, G_TRAIN)
NEXT = count()


def body_of(**more: Any) -> dict[str, Any]:
    return {"name": f"networked {next(NEXT)}", "role": "institution", **more}


def new_account(operator: httpx.Client, **more: Any) -> str:
    """Make an account, and return its address."""
    address: str = operator.post(ACCOUNTS, json=body_of(**more)).headers["location"]
    return address


def new_key(operator: httpx.Client, account: str) -> str:
    key: str = operator.post(f"{account}/keys", json={}).json()["key"]
    return key


def status_of(service: RunningService, key: str) -> int:
    with service.client(key) as client:
        return client.post("/v1/checks", json=RIGHT).status_code


def test_an_account_with_networks_is_refused_elsewhere_with_the_fields_name_alone(
    service: RunningService, operator: httpx.Client
) -> None:
    inside = new_account(operator, networks=["127.0.0.0/8"])
    elsewhere = new_account(operator, networks=["192.0.2.0/24", "2001:db8::/48"])
    keys = [new_key(operator, address) for address in (inside, elsewhere)]
    batch = {"checks": [RIGHT]}
    with service.client(keys[0]) as client:
        assert client.post("/v1/checks", json=RIGHT).status_code == 200
    with service.client(keys[1]) as client:
        for answer in (
            client.post("/v1/checks", json=RIGHT),
            client.post("/v1/checks/batch", json=batch),
            client.get("/v1/measures"),
        ):
            refused = problem(answer, 403, "out-of-scope")
            assert "networks" in refused["detail"]
            assert "127.0.0" not in answer.text
    operator.patch(elsewhere, json={"networks": None})
    wait_until(lambda: status_of(service, keys[1]) == 200)


@pytest.mark.parametrize(
    ("networks", "pointer"),
    [
        ([], "/networks"),
        (["127.0.0.1/8"], "/networks/0"),
        (["127.0.0.0/8", "office"], "/networks/1"),
        ([f"10.0.{number}.0/24" for number in range(65)], "/networks"),
        ("127.0.0.0/8", "/networks"),
    ],
)
def test_networks_that_are_none_are_refused(
    operator: httpx.Client, networks: Any, pointer: str
) -> None:
    account = new_account(operator)
    for answer in (
        operator.post(ACCOUNTS, json=body_of(networks=networks)),
        operator.patch(account, json={"networks": networks}),
    ):
        assert pointers(problem(answer, 400, "invalid-request")) == [pointer]


def test_an_operator_does_not_lock_its_own_account_out(operator: httpx.Client) -> None:
    own = [each for each in operator.get(ACCOUNTS).json()["accounts"] if each["name"] == "operator"]
    address = f"{ACCOUNTS}/{own[0]['id']}"
    problem(operator.patch(address, json={"networks": ["192.0.2.0/24"]}), 409, "conflict")
    assert operator.get(address).json()["networks"] is None
