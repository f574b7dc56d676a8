"""Decisions stand by month, and go with it when its time is over; the chain tells of it."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from checker.audit.chain import DECISION_CHAIN, extend_decisions
from checker.audit.chain_verification import verify_chain
from checker.audit.months import Months
from tests.integration.audit.audit_grounds import AT, KEEP_MONTHS, decision

pytestmark = pytest.mark.anyio

OLD = AT - timedelta(days=400)


@pytest.fixture
def months(ground):
    return Months(ground.engine, ground.vault, KEEP_MONTHS)


async def partitions(ground):
    rows = await ground.query(
        "SELECT tableoid::regclass::text AS name, count(*) AS rows FROM decision GROUP BY 1"
    )
    return {row.name.removeprefix("decision_month."): row.rows for row in rows}


async def verified(ground, **more):
    told = await verify_chain(ground.engine, **more)
    assert told.faults == ()
    return told


async def test_the_present_month_and_the_next_two_are_made(months):
    made = await months.prepare(AT)
    assert made == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]
    assert await months.prepare(AT) == []


async def test_a_decision_stands_in_the_month_of_shanghai(ground, months):
    await months.prepare(AT)
    last = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    await ground.decided(decision(at=last), decision(at=last + timedelta(seconds=1)))
    assert await partitions(ground) == {"y2026m11": 1, "y2026m12": 1}


async def test_what_stood_in_the_rest_moves_to_its_month_and_stays_chained(ground, months):
    await ground.decided(decision(at=OLD), decision())
    await extend_decisions(ground.engine)
    assert await partitions(ground) == {"rest": 2}
    await months.prepare(AT)
    assert await partitions(ground) == {"y2025m10": 1, "y2026m11": 1}
    assert (await verified(ground)).links == 2


async def test_a_month_whose_time_is_over_is_removed_and_the_chain_goes_on(ground, months):
    old = [decision(at=OLD + timedelta(minutes=n)) for n in range(3)]
    await ground.decided(*old, decision())
    await ground.reported(old[1])
    await extend_decisions(ground.engine)
    async with ground.engine.connect() as connection:
        noted = await DECISION_CHAIN.read_head(connection)
    await months.prepare(AT)
    assert await months.remove_old(AT) == [date(2025, 10, 1)]
    assert await partitions(ground) == {"y2026m11": 1}
    [row] = await ground.query("SELECT month, decisions, reported_outcomes FROM removal")
    assert tuple(row) == (date(2025, 10, 1), 3, 1)
    assert await ground.query("SELECT * FROM reported_outcome") == []
    await ground.decided(decision())
    await extend_decisions(ground.engine)
    await verified(ground, noted=noted)


async def test_of_the_chain_only_the_links_before_all_that_is_kept_are_forgotten(ground, months):
    await ground.decided(decision(at=OLD))
    await ground.decided(decision())
    await ground.decided(decision(at=OLD))
    await extend_decisions(ground.engine)
    await months.prepare(AT)
    await months.remove_old(AT)
    numbers = [row.number for row in await ground.query("SELECT number FROM chain_link")]
    assert sorted(numbers) == [2, 3, 4]
    assert (await verified(ground)).head_number == 4


async def test_a_month_is_kept_until_all_of_it_is_chained(ground, months):
    await ground.decided(decision(at=OLD))
    await months.prepare(AT)
    assert await months.remove_old(AT) == []
    await extend_decisions(ground.engine)
    assert await months.remove_old(AT) == [date(2025, 10, 1)]


@pytest.mark.parametrize(("now", "is_over"), [(AT, False), (AT + timedelta(days=10), True)])
async def test_a_month_is_over_when_so_many_whole_months_lie_between(ground, months, now, is_over):
    """Of November 2025 the last day is twelve months old on the first of December 2026."""
    await ground.decided(decision(at=datetime(2025, 11, 30, 12, tzinfo=UTC)))
    await extend_decisions(ground.engine)
    await months.prepare(AT)
    assert bool(await months.remove_old(now)) is is_over


async def test_everything_may_go_and_what_comes_then_is_chained_to_it(ground, months):
    await ground.decided(decision(at=OLD))
    await extend_decisions(ground.engine)
    await months.prepare(AT)
    await months.remove_old(AT)
    await ground.decided(decision())
    await extend_decisions(ground.engine)
    assert (await verified(ground)).links == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE removal SET decisions = 1",
        "UPDATE removal SET kept_since = kept_since + interval '1 year'",
        "DELETE FROM chain_link WHERE number = 3",
    ],
)
async def test_a_removal_that_is_not_as_it_was_is_found(ground, months, statement):
    await ground.decided(decision(at=OLD), decision(at=OLD))
    await ground.decided(decision())
    await extend_decisions(ground.engine)
    await months.prepare(AT)
    await months.remove_old(AT)
    await verified(ground)
    await ground.tamper(statement)
    assert (await verify_chain(ground.engine)).fault_count


async def test_a_month_without_a_decision_goes_and_the_chain_still_holds(ground, months):
    """October and December 2025 have decisions, November has none."""
    quiet = datetime(2025, 11, 15, tzinfo=UTC)
    await ground.decided(decision(at=OLD))
    await months.prepare(OLD)  # makes the two months after it too
    await ground.decided(decision(at=quiet + timedelta(days=30)))
    await extend_decisions(ground.engine)
    assert await months.remove_old(quiet + timedelta(days=366 + 20)) == [
        date(2025, 10, 1),
        date(2025, 11, 1),
    ]
    assert (await verified(ground)).head_number == 4


async def test_a_removal_that_never_was_hides_nothing(ground, months):
    await ground.decided(decision(), decision())
    await extend_decisions(ground.engine)
    await ground.tamper("DELETE FROM decision")
    await ground.tamper(
        "INSERT INTO removal"
        " (month, at, decisions, reported_outcomes, kept_since, first_link, digest_before)"
        " VALUES ('2026-11-01', now(), 2, 0, '2026-12-01', 1, decode(repeat('00', 32), 'hex'))"
    )
    [fault] = (await verify_chain(ground.engine)).faults
    assert fault == "the removal 1 of a month: no link of the chain holds it"


async def test_decisions_come_while_a_month_is_made(ground, months):
    """Whoever writes meanwhile waits, and what they write is in the month."""
    await ground.decided(decision())

    async def write():
        for _ in range(20):
            await ground.decided(decision())

    made, _ = await asyncio.gather(months.prepare(AT), write())
    assert date(2026, 11, 1) in made
    assert sum((await partitions(ground)).values()) == 21
    assert "rest" not in await partitions(ground)
