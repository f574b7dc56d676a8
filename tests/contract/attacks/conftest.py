"""The keys and the things of an attack."""

from uuid import uuid4

import pytest

from checker.accounts.keys import AccountRole
from tests.contract.attacks.attacked import Attacked
from tests.contract.attacks.attacking import Keys
from tests.support.asking import FLIGHT, ask
from tests.support.running_service import RunningService
from tests.support.spending import hold
from tests.support.town import DEBTOR


@pytest.fixture(scope="module")
def keys(service: RunningService) -> Keys:
    """A key for each role, of accounts that no other test uses."""
    names = {role: f"attacking {role} {uuid4()}" for role in AccountRole}
    service.make_keys({name: ("--role", role) for role, name in names.items()})
    return {role: service.keys[name] for role, name in names.items()}


@pytest.fixture(scope="module")
def attacked(service: RunningService, keys: Keys, town: None) -> Attacked:
    """Things of each kind, and an account that may come to harm."""
    with (
        service.client(keys[AccountRole.INSTITUTION]) as seller,
        service.client(keys[AccountRole.OPERATOR]) as operator,
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
