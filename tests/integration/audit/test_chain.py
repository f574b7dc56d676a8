"""The chain over decisions and outcomes: what was changed or removed is found, and where."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from checker.audit.chain import DECISION_CHAIN, extend_decisions
from checker.audit.chain_verification import verify_chain
from checker.audit.outcomes import ReportedOutcome
from tests.integration.audit.audit_grounds import AT, decision

pytestmark = pytest.mark.anyio


async def chained(ground, count=5):
    kept = await ground.decided(*[decision(at=AT + timedelta(minutes=n)) for n in range(count)])
    await ground.reported(kept[0], note="示例")
    await extend_decisions(ground.engine)
    return kept


async def faults(ground, **more):
    told = await verify_chain(ground.engine, **more)
    assert told.fault_count == len(told.faults)
    return list(told.faults)


async def test_what_is_decided_and_reported_becomes_links_without_a_fault(ground):
    await chained(ground)
    told = await verify_chain(ground.engine)
    assert (told.links, told.head_number, told.waiting, told.fault_count) == (6, 6, 0, 0)


async def test_what_is_not_chained_yet_waits_and_is_no_fault(ground):
    await chained(ground)
    await ground.decided(decision(), decision())
    told = await verify_chain(ground.engine)
    assert (told.links, told.waiting, told.fault_count) == (6, 2, 0)


async def test_an_empty_chain_has_no_fault(ground):
    told = await verify_chain(ground.engine)
    assert (told.links, told.head_number, told.fault_count) == (0, 0, 0)


async def test_several_who_extend_at_once_make_one_chain(ground):
    await ground.decided(*[decision() for _ in range(20)])
    made = await asyncio.gather(*[extend_decisions(ground.engine) for _ in range(4)])
    assert sum(made) == 20
    assert (await verify_chain(ground.engine)).links == 20


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'allow'",
        "at = at + interval '1 microsecond'",
        "account_id = 'airline'",
        "service = 'rail'",
        "jurisdiction = '44'",
        "reasons = jsonb_set(reasons, '{0,measure}', '\"cn-2016-64/2.7.2\"')",
        "permit_id = 'permit-1'",
        "listings = '{}'",
        "policy = NULL",
    ],
)
async def test_a_decision_that_was_changed_is_found(ground, change):
    kept = await chained(ground)
    await ground.tamper(f"UPDATE decision SET {change} WHERE id = :id", id=kept[2].id)
    [fault, *more] = await faults(ground)
    assert kept[2].id in fault
    assert all(kept[2].id in each for each in more)


async def test_an_outcome_that_was_changed_is_found(ground):
    kept = await chained(ground)
    await ground.tamper("UPDATE reported_outcome SET outcome = 'sold'")
    [fault] = await faults(ground)
    assert f"an outcome of decision {kept[0].id}" in fault
    assert "was changed" in fault


async def test_a_decision_that_was_removed_is_found(ground):
    kept = await chained(ground)
    await ground.tamper("DELETE FROM decision WHERE id = :id", id=kept[3].id)
    [fault] = await faults(ground)
    assert fault.endswith(f"decision {kept[3].id} is missing")


async def test_a_decision_that_was_removed_before_it_was_chained_is_found(ground):
    [kept] = await ground.decided(decision())
    await ground.tamper("DELETE FROM decision")
    await extend_decisions(ground.engine)
    [fault] = await faults(ground)
    assert fault.endswith(f"decision {kept.id} is missing")


async def test_a_decision_that_was_put_in_behind_the_chain_is_found(ground):
    await chained(ground)
    stranger = decision()
    await ground.decided(stranger)
    await ground.tamper("DELETE FROM unchained")
    [fault] = await faults(ground)
    assert fault == f"decision {stranger.id}: no link of the chain holds it"


async def test_links_that_were_removed_from_the_middle_are_found(ground):
    await chained(ground)
    await ground.tamper("DELETE FROM chain_link WHERE number IN (3, 4)")
    told = await faults(ground)
    assert "links 3 to 4 are missing" in told
    assert len(told) == 3  # and the two decisions that they were of


async def test_a_link_that_was_changed_is_found_with_the_one_behind_it(ground):
    await chained(ground)
    await ground.tamper("UPDATE chain_link SET digest = digest || 'x' WHERE number = 2")
    assert [fault.partition(":")[0] for fault in await faults(ground)] == ["link 2", "link 3"]


async def test_a_chain_that_was_made_anew_does_not_hold_the_head_that_was_noted(ground):
    kept = await chained(ground)
    async with ground.engine.connect() as connection:
        noted = await DECISION_CHAIN.read_head(connection)
    assert await faults(ground, noted=noted) == []
    await ground.tamper("UPDATE decision SET outcome = 'allow' WHERE id = :id", id=kept[0].id)
    await ground.tamper("DELETE FROM chain_link")
    await ground.tamper(
        "INSERT INTO unchained (decision_id, decision_at) SELECT id, at FROM decision"
    )
    await ground.tamper(
        "INSERT INTO unchained (decision_id, decision_at, reported_pk)"
        " SELECT decision_id, decision_at, pk FROM reported_outcome"
    )
    await extend_decisions(ground.engine)
    assert await faults(ground) == []
    assert await faults(ground, noted=noted) == [
        f"link {noted.number}: its digest is not the one that was noted"
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET outcome = 'allow'",
        "DELETE FROM decision",
        "TRUNCATE decision",
        "DELETE FROM decision_month.rest",
        "UPDATE reported_outcome SET outcome = 'sold'",
        "DELETE FROM reported_outcome",
    ],
)
async def test_nothing_that_is_kept_can_be_changed_in_passing(ground, statement):
    await chained(ground)
    with pytest.raises(DBAPIError, match="never changed"):
        async with ground.engine.begin() as connection:
            await connection.exec_driver_sql(statement)
    assert await faults(ground) == []


async def test_a_second_different_outcome_is_appended_and_the_same_again_is_not(ground):
    [kept] = await ground.decided(decision())
    for outcome in ("refused", "refused", "overridden", "refused"):
        await ground.reported(kept, ReportedOutcome(outcome))
    rows = await ground.query("SELECT outcome FROM reported_outcome ORDER BY pk")
    assert [row.outcome for row in rows] == ["refused", "overridden", "refused"]


async def test_the_same_outcome_reported_twice_at_once_is_one(ground):
    [kept] = await ground.decided(decision())
    await asyncio.gather(*[ground.reported(kept) for _ in range(4)])
    assert len(await ground.query("SELECT * FROM reported_outcome")) == 1
