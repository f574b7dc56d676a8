"""An adverse answer is kept in the transaction that confirms it; an innocent leaves no trace."""

from datetime import timedelta

import msgspec
import pytest

from checker.accounts.keys import AccountRole
from checker.api.answering import CheckHead, ChecksResource
from checker.api.bodies import Bodies
from checker.api.check_counts import CheckCounts
from checker.api.metrics import Metrics
from checker.domain.service import Lodging
from checker.errors import Unavailable
from checker.operators.action import AT_THE_SERVER
from tests.support.operation_lines import delist, list_, permit
from tests.support.registry_grounds import (
    AT,
    accepted,
    check_of,
    company_listing,
    decide,
    name_of,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio


async def kept(node):
    rows = await query(node, "SELECT * FROM decision ORDER BY id")
    return {str(row.id): row for row in rows}


async def everything(node):
    """Return the rows of every table, but two that works write at any time.

    These are the progress of the notices, and the last use of each key. A last use names the key
    and the instant, and nothing of the person who was asked about.
    """
    tables = await query(
        node,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        " AND table_name NOT IN ('notice_progress', 'key_use')",
    )
    assert len(tables) > 10
    return {
        table: sorted(map(repr, await query(node, f'SELECT * FROM "{table}"')))
        for [table] in tables
    }


async def account_of(node):
    await counter_key(node)
    [[account_id]] = await query(node, "SELECT id FROM account")
    return account_id


async def counter_key(node):
    role = AccountRole.INSTITUTION
    return (await node.account_keys.create_named(name="counter", role=role, by=AT_THE_SERVER)).key


async def test_every_answer_but_a_plain_allow_is_kept_with_its_id_reasons_and_version(node):
    await publish(node, [person_listing(1), person_listing(2)])
    account_id = await account_of(node)
    checks = [
        check_of(resident_id(1), name_of(1)),
        check_of(resident_id(9), name_of(9)),
        check_of(resident_id(2), name_of(3), service=Lodging(star_rating=4)),
    ]
    decided = await decide(node, *checks, account_id=account_id)
    rows = await kept(node)
    assert list(rows) == sorted([decided.ids[0], decided.ids[2]])
    denied, review = rows[decided.ids[0]], rows[decided.ids[2]]
    assert (denied.outcome, denied.service, denied.jurisdiction) == ("deny", "air", "CN")
    assert (review.outcome, review.service) == ("review", "lodging")
    assert [reason["code"] for reason in denied.reasons] == ["restricted"]
    assert denied.reasons[0]["listing"]["id"] == "listing-1"
    assert {(row.at, row.account_id, row.list_version) for row in rows.values()} == {
        (AT, account_id, 1)
    }


async def test_nothing_that_is_kept_says_whom_it_was_about(node):
    await publish(node, [person_listing(1), company_listing(3, ("principal", 4))])
    await decide(
        node, check_of(resident_id(1), name_of(1)), check_of(resident_id(4), reference="ORDER-7")
    )
    told = repr(list((await kept(node)).values()))
    secrets = [resident_id(1), resident_id(4), name_of(1), name_of(4), "ORDER-7"]
    assert len(await kept(node)) == 2
    assert not [secret for secret in secrets if secret in told]


async def test_an_innocent_and_whom_nothing_restricts_leave_no_row_anywhere(node):
    await publish(node, [person_listing(1)])
    before = await everything(node)
    modest = check_of(resident_id(1), service=Lodging(star_rating=0))
    decided = await decide(node, check_of(resident_id(2)), modest)
    assert [decision.outcome.value for decision in decided.decisions] == ["allow", "allow"]
    assert await kept(node) == {}
    assert await everything(node) == before


async def test_a_receipt_of_an_innocent_leaves_no_row_anywhere(node):
    await publish(node, [person_listing(1)])
    key = await counter_key(node)
    before = await everything(node)
    metrics = Metrics(node.replica)
    resource = ChecksResource(
        key_ring=node.key_ring,
        quotas=node.quotas,
        checks=node.checks,
        receipts=node.receipts,
        clock=node.clock,
        metrics=metrics,
        counts=CheckCounts(metrics, node.audit.tallies, node.watch),
        token_of=node.sealer.document_token,
        body_timeout_s=15.0,
        bodies=Bodies(),
    )
    asked = {
        "subject": {"document": {"type": "resident_id", "number": resident_id(2)}},
        "service": {"type": "air", "flight": "CZ3101"},
        "receipt": True,
    }

    async def receive():
        return {"type": "http.request", "body": msgspec.json.encode(asked)}

    head = CheckHead(
        authorization=f"Bearer {key}", address="", content_type="application/json", query=b""
    )
    answer = msgspec.json.decode((await resource.create(head, receive)).body)
    assert (answer["decision"], answer["receipt"].keys()) == ("allow", {"jws", "opening"})
    assert await everything(node) == before


async def test_an_allow_by_permit_is_kept_with_the_permit(node):
    await publish(node, [person_listing(1)])
    await accepted(node, permit())
    decided = await decide(node, check_of(resident_id(1)))
    [row] = (await kept(node)).values()
    assert (row.outcome, row.permit_id, str(row.id)) == ("allow", "permit-1", decided.ids[0])
    assert [reason["code"] for reason in row.reasons] == ["restricted"]


async def test_a_listing_that_is_not_public_is_kept_by_its_id_and_shown_by_none(node):
    await publish(node, [person_listing(1, public=False)])
    decided = await decide(node, check_of(resident_id(1)))
    [row] = (await kept(node)).values()
    assert decided.decisions[0].reasons[0].listing is None
    assert row.reasons[0]["listing"]["id"] == "listing-1"


async def test_of_whom_the_list_has_just_let_go_nothing_is_kept(node):
    await publish(node, [person_listing(1)])
    await settled(node)
    await accepted(node, delist(1))
    decided = await decide(node, check_of(resident_id(1)))
    assert decided.decisions[0].outcome.value == "allow"
    assert await kept(node) == {}


async def test_a_decision_that_cannot_be_kept_is_not_given(node):
    await publish(node, [person_listing(1)])
    await accepted(node, permit(uses=1))
    async with node.work_engine.begin() as connection:
        # This lock keeps the table's rows from being written until the check's patience ends.
        await connection.exec_driver_sql("LOCK TABLE decision IN EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            await decide(node, check_of(resident_id(1)))
    assert await kept(node) == {}
    assert await query(node, "SELECT * FROM permit_use") == []


async def test_what_was_answered_is_told_by_the_list_of_its_time(node, clock):
    await publish(node, [person_listing(1)])
    for operation in (delist(1), list_(person_listing(1))):
        await decide(node, check_of(resident_id(1)))
        clock.move(hours=1)
        await accepted(node, operation)
    await decide(node, check_of(resident_id(1)))
    rows = sorted((row.at, row.list_version, row.outcome) for row in (await kept(node)).values())
    assert rows == [(AT, 1, "deny"), (AT + timedelta(hours=2), 3, "deny")]
