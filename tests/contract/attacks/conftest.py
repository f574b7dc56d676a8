"""A server to be attacked, which no other test uses; the keys and the things of an attack."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from checker.accounts.keys import AccountRole
from tests.contract.attacks.attacked import Attacked
from tests.contract.attacks.attacking import Keys
from tests.support.asking import FLIGHT, ask
from tests.support.contract_service import contract_service
from tests.support.running_service import RunningService
from tests.support.spending import hold
from tests.support.town import DEBTOR, TOWN, ndjson


@pytest.fixture(scope="module")
def attacked_service() -> Iterator[RunningService]:
    """A server with the town's list in force. An attack leaves holds, and much else, behind."""
    with contract_service() as running:
        with running.client(running.keys["court"]) as court:
            assert court.put("/v1/feed/snapshot", content=ndjson(TOWN)).status_code == 200
        yield running


@pytest.fixture(scope="module")
def keys(attacked_service: RunningService) -> Keys:
    """A key for each role, of accounts that no other test uses."""
    names = {role: f"attacking {role} {uuid4()}" for role in AccountRole}
    attacked_service.make_keys({name: ("--role", role) for role, name in names.items()})
    return {role: attacked_service.keys[name] for role, name in names.items()}


@pytest.fixture(scope="module")
def attacked(attacked_service: RunningService, keys: Keys) -> Attacked:
    """Things of each kind, and an account that may come to harm."""
    with (
        attacked_service.client(keys[AccountRole.INSTITUTION]) as seller,
        attacked_service.client(keys[AccountRole.OPERATOR]) as operator,
    ):
        decision = ask(seller, DEBTOR, FLIGHT)["id"]
        filing = {"decision_id": decision, "ground": "x", "contact": "someone@example.com"}
        accounts = operator.get("/v1/accounts", params={"limit": 1_000}).json()["accounts"]
        made = {"name": f"attacked {uuid4()}", "role": "institution"}
        account = operator.post("/v1/accounts", json=made).json()["id"]
        known = {
            "decision_id": decision,
            "authorization_id": hold(seller, DEBTOR, 1_000).json()["id"],
            "correction_id": seller.post("/v1/corrections", json=filing).json()["id"],
            "reconciliation_id": seller.post("/v1/reconciliations", content=b"").json()["id"],
            "account_id": account,
            "key_id": operator.post(f"/v1/accounts/{account}/keys").json()["id"],
            "code": "invalid-request",
        }
    return Attacked(known=known, protected=tuple(each["id"] for each in accounts))
