"""An outcome gives the use of a counted permit back: once, whoever reports what at once."""

import asyncio

import pytest

from checker.accounts.keys import AccountRole
from checker.audit.outcomes import Report, ReportedOutcome
from checker.domain.decision import Outcome
from checker.node.record import NotedHeads, verify_record
from checker.operators.action import AT_THE_SERVER
from tests.support.operation_lines import permit
from tests.support.registry_grounds import (
    accepted,
    check_of,
    decide,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio
REFUSED, SOLD = ReportedOutcome.REFUSED, ReportedOutcome.SOLD
CANCELLED, OVERRIDDEN = ReportedOutcome.CANCELLED, ReportedOutcome.OVERRIDDEN


class Seller:
    """An institution that sells flights to the holder of a permit."""

    def __init__(self, node, account_id):
        self.node = node
        self.account_id = account_id

    async def ask(self, order=None):
        """Ask about an order; return the id of the answer, or None if the answer is no `allow`."""
        check = check_of(resident_id(1), reference=order)
        decided = await decide(self.node, check, account_id=self.account_id)
        return decided.ids[0] if decided.decisions[0].outcome is Outcome.ALLOW else None

    async def report(self, decision_id, *outcomes):
        for outcome in outcomes:
            report = Report(outcome=outcome, note=None, at=self.node.clock.now())
            await self.node.audit.outcomes.report(self.account_id, decision_id, report)

    async def used(self):
        """Return the number of uses that count, and verify the journal of all uses."""
        rows = await query(self.node, "SELECT * FROM permit_use")
        verified = await verify_record(self.node.work_engine, self.node.sealer, NotedHeads())
        assert verified.journal.faults == ()
        return len([row for row in rows if row.returned_at is None])


@pytest.fixture
async def seller(node):
    await publish(node, [person_listing(1)])
    await settled(node)
    role = AccountRole.INSTITUTION
    made = await node.account_keys.create_named(name="airline", role=role, by=AT_THE_SERVER)
    await accepted(node, permit(uses=1))
    return Seller(node, made.state.account_id)


@pytest.mark.parametrize("outcome", [REFUSED, CANCELLED])
async def test_a_use_is_given_back_once_and_the_next_order_uses_it(seller, outcome):
    first = await seller.ask("ORDER-1")
    assert await seller.ask("ORDER-2") is None
    await seller.report(first, outcome, outcome)
    assert await seller.used() == 0
    assert await seller.ask("ORDER-2") is not None
    # A second, different outcome of the first order gives nothing back.
    await seller.report(first, CANCELLED, REFUSED, OVERRIDDEN, CANCELLED)
    assert await seller.used() == 1
    assert await seller.ask("ORDER-3") is None


async def test_an_order_whose_use_was_given_back_uses_one_again(seller):
    first = await seller.ask("ORDER-1")
    await seller.report(first, REFUSED)
    again = await seller.ask("ORDER-1")
    assert again is not None
    assert await seller.used() == 1
    assert await seller.ask("ORDER-2") is None
    # The first answer has given back its own use, and has no part in the new one.
    await seller.report(first, CANCELLED)
    assert await seller.used() == 1
    await seller.report(again, CANCELLED)
    assert await seller.used() == 0


async def test_a_sale_that_is_cancelled_later_gives_its_use_back(seller):
    first = await seller.ask("ORDER-1")
    await seller.report(first, SOLD)
    assert await seller.used() == 1
    await seller.report(first, CANCELLED)
    assert await seller.used() == 0


async def test_a_sale_after_a_refusal_takes_the_use_again(seller):
    first = await seller.ask("ORDER-1")
    await seller.report(first, REFUSED, SOLD)
    assert await seller.used() == 1
    assert await seller.ask("ORDER-2") is None
    await seller.report(first, CANCELLED)
    assert await seller.used() == 0


async def test_a_sale_after_a_refusal_counts_even_if_another_order_has_the_use(seller):
    first = await seller.ask("ORDER-1")
    await seller.report(first, REFUSED)
    other = await seller.ask("ORDER-2")
    await seller.report(first, SOLD)
    assert await seller.used() == 2
    await seller.report(other, CANCELLED)
    assert await seller.ask("ORDER-3") is None


async def test_a_refusal_gives_nothing_back_while_the_same_order_is_sold_on_another_answer(seller):
    first, again = await seller.ask("ORDER-1"), await seller.ask("ORDER-1")
    await seller.report(first, SOLD)
    await seller.report(again, REFUSED)
    assert await seller.used() == 1
    await seller.report(first, CANCELLED)
    assert await seller.used() == 0


async def test_an_answer_that_was_lost_is_given_back_by_the_answer_to_the_retry(seller):
    await seller.ask("ORDER-1")
    again = await seller.ask("ORDER-1")
    await seller.report(again, REFUSED)
    assert await seller.used() == 0


async def test_an_order_without_a_reference_gives_its_own_use_back(seller):
    first = await seller.ask()
    assert await seller.ask() is None
    await seller.report(first, CANCELLED)
    assert await seller.ask() is not None


async def test_outcomes_at_once_give_one_use_back_once(seller):
    answers = [await seller.ask("ORDER-1") for _ in range(3)]
    await asyncio.gather(
        *(
            seller.report(answer, outcome)
            for answer in answers
            for outcome in (REFUSED, CANCELLED, REFUSED)
        )
    )
    assert await seller.used() == 0
    returned = await query(seller.node, "SELECT * FROM permit_use WHERE returned_at IS NOT NULL")
    assert len(returned) == 1
    asked = await asyncio.gather(*(seller.ask(f"ORDER-{number}") for number in range(2, 8)))
    assert len([answer for answer in asked if answer is not None]) == 1


async def test_a_past_sale_is_judged_by_the_uses_of_its_time(seller, clock):
    first = await seller.ask("ORDER-1")
    clock.move(minutes=1)
    await seller.report(first, REFUSED)
    [[at, returned_at]] = await query(seller.node, "SELECT at, returned_at FROM permit_use")
    assert returned_at > at
