"""Every action of an operator stands in the log, with its author, and nobody changes the log."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from checker.accounts.keys import MAY, AccountRole
from checker.api.routes import OPERATIONS
from checker.domain.fishing import FishingGround, Suspicion
from checker.node.runtime import Runtime
from checker.operators.action import (
    AT_THE_SERVER,
    ActionAuthor,
    ActionOutcome,
    Door,
    OperatorAction,
)
from checker.operators.operator_log import LoggedAction
from tests.integration.checks.doors import client_of, open_doors_with
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

NO_OPERATORS_ACTION = {
    # Anybody may file a correction, also without a key. The correction names its account.
    "file_correction",
}


class ManagedNode(NamedTuple):
    """A node, and an operator who manages it over HTTP."""

    runtime: Runtime
    operator: httpx.AsyncClient
    account_id: str

    async def log(self) -> list[LoggedAction]:
        return [*reversed(await self.runtime.operator_log.page(before=None, limit=100))]


@pytest.fixture
async def managed(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[ManagedNode]:
    async with open_doors_with(tmp_path, database_url, redis_url) as (lane, keys):
        runtime = lane.routed.state.runtime
        await runtime.key_ring.refresh()
        async with client_of(lane.ordinary) as client:
            client.headers["authorization"] = f"Bearer {keys[AccountRole.OPERATOR]}"
            yield ManagedNode(runtime, client, (await runtime.accounts.named("operator")).id)


async def test_every_operation_of_an_operator_writes_its_action(managed: ManagedNode) -> None:
    before = len(await managed.log())
    clients: dict[OperatorAction, Callable[[str, str], Awaitable[httpx.Response]]] = {
        OperatorAction.CHANGE_ACCOUNT: lambda account, _: managed.operator.patch(
            account, json={"items_per_day": 7, "networks": ["192.0.2.0/24"]}
        ),
        OperatorAction.CLEAR_FLAG: lambda account, _: managed.operator.post(
            f"{account}/clear_flag"
        ),
        OperatorAction.ROTATE_KEY: lambda account, key: managed.operator.post(
            f"{account}/keys/{key}/rotate"
        ),
        OperatorAction.REVOKE_KEY: lambda account, key: managed.operator.delete(
            f"{account}/keys/{key}"
        ),
        OperatorAction.RETRY_QUARANTINE: lambda _account, _key: managed.operator.post(
            "/v1/feed/quarantine/retry", json={}
        ),
    }
    body = {"name": "hotel", "role": "institution"}
    account = (await managed.operator.post("/v1/accounts", json=body)).headers["location"]
    key = (await managed.operator.post(f"{account}/keys")).json()["id"]
    account_id = account.rpartition("/")[2]
    suspicion = Suspicion(ground=FishingGround.ADVERSE_SHARE, items=9, marked=8, kind_share=0.1)
    clock = managed.runtime.clock
    assert isinstance(clock, FakeClock)
    await managed.runtime.flags.flag(
        account_id, suspicion, counted_from=clock.now(), slowed=clock.now() - clock.now()
    )
    made = {OperatorAction.CREATE_ACCOUNT, OperatorAction.CREATE_KEY}
    declared = {each.logs for each in OPERATIONS if each.logs is not None}
    assert declared == made | clients.keys()
    for act in clients.values():
        assert (await act(account, key)).is_success

    logged = (await managed.log())[before:]
    assert {each.action for each in logged} == declared
    for each in logged:
        assert (each.door, each.account_id, each.account) == (
            Door.API,
            managed.account_id,
            "operator",
        )
        assert each.key is not None
        assert each.key.startswith("ck_")
    of_kind = {each.action: each for each in logged}
    changed = of_kind[OperatorAction.CHANGE_ACCOUNT]
    assert changed.target == account_id
    assert changed.details == {"items_per_day": 7, "networks": ["192.0.2.0/24"]}
    assert of_kind[OperatorAction.REVOKE_KEY].target == key
    assert of_kind[OperatorAction.CLEAR_FLAG].target == account_id
    retried = [each.outcome for each in logged if each.action == OperatorAction.RETRY_QUARANTINE]
    assert retried == [ActionOutcome.BEGUN, ActionOutcome.DONE]


def test_every_operation_that_an_operator_may_use_to_change_something_is_logged() -> None:
    """A new operation of operators without `logs` fails here."""
    unlogged = {
        each.operation_id
        for each in OPERATIONS
        if each.method != "GET" and each.may & MAY[AccountRole.OPERATOR] and each.logs is None
    }
    assert unlogged == NO_OPERATORS_ACTION


async def test_a_refused_change_writes_nothing(managed: ManagedNode) -> None:
    before = len(await managed.log())
    own = f"/v1/accounts/{managed.account_id}"
    for refused in (
        managed.operator.patch(own, json={"disabled": True}),
        managed.operator.post("/v1/accounts", json={"name": "operator", "role": "operator"}),
    ):
        assert (await refused).status_code == 409
    assert len(await managed.log()) == before


async def test_a_command_has_no_account_and_a_failed_action_says_so(managed: ManagedNode) -> None:
    log, wanted = managed.runtime.operator_log, OperatorAction.REBUILD

    async def fails() -> None:
        async with log.around(wanted, None, by=AT_THE_SERVER, details={"why": "a test"}):
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    begun, failed = (await managed.log())[-2:]
    assert (begun.outcome, failed.outcome) == (ActionOutcome.BEGUN, ActionOutcome.FAILED)
    assert failed.details == {"begun": begun.number}
    assert (failed.door, failed.account_id, failed.key) == (Door.COMMAND, None, None)


async def test_an_operators_retry_of_notices_is_logged_and_the_accounts_own_is_not(
    managed: ManagedNode,
) -> None:
    webhooks = managed.runtime.notices.webhooks
    account = (await managed.runtime.accounts.named("institution")).id
    author = ActionAuthor(door=Door.CONSOLE, account_id=managed.account_id)
    async with managed.runtime.engine.begin() as connection:
        put = "INSERT INTO webhook (account_id, url, secret, started_at) VALUES (:a, '', '', now())"
        await connection.execute(text(put), {"a": account})
    before = len(await managed.log())
    assert await webhooks.retry(account) == 0
    assert len(await managed.log()) == before
    assert await webhooks.retry(account, by=author) == 0
    [entry] = (await managed.log())[before:]
    assert (entry.action, entry.target) == (OperatorAction.RETRY_NOTICES, account)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operator_action SET outcome = 'failed'",
        "DELETE FROM operator_action",
        "TRUNCATE operator_action",
    ],
)
async def test_no_entry_is_changed_or_removed(managed: ManagedNode, statement: str) -> None:
    async def change() -> Any:
        async with managed.runtime.engine.begin() as connection:
            return await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="never changed or removed"):
        await change()


async def test_the_log_is_read_in_pages_newest_first(managed: ManagedNode) -> None:
    log = managed.runtime.operator_log
    whole = await log.page(before=None, limit=100)
    assert [each.number for each in whole] == sorted((each.number for each in whole), reverse=True)
    first = await log.page(before=None, limit=2)
    rest = await log.page(before=first[-1].number, limit=100)
    assert (*first, *rest) == whole
    account = whole[-1].target
    about = await log.page(before=None, limit=9, target=account)
    assert [each.action for each in about] == [
        OperatorAction.CREATE_KEY,
        OperatorAction.CREATE_ACCOUNT,
    ]
