"""Adverse checks that come together share a transaction, and each gets its own answer."""

import asyncio

import pytest

from checker.checks.in_slices import SLICE_LISTED
from checker.checks.registry_check import GROUP_CHECKS_MAX, WAITING_MAX
from checker.errors import Unavailable
from tests.integration.checks.checks_grounds import (
    DEBTOR,
    INNOCENT,
    OFFICER,
    listing,
    open_grounds,
    told,
)

pytestmark = pytest.mark.anyio

CALLERS = 50


async def test_many_callers_at_once_cost_few_statements_and_each_is_told_its_own(
    database_url: str,
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR), listing(OFFICER, "2"))
        asked = [(DEBTOR,), (OFFICER, INNOCENT), (INNOCENT, DEBTOR, OFFICER)]
        expected = [["deny"], ["deny", "allow"], ["allow", "deny", "deny"]]
        answers = await asyncio.gather(*[grounds.ask(*asked[n % 3]) for n in range(CALLERS)])
        assert [told(each) for each in answers] == [expected[n % 3] for n in range(CALLERS)]
        # All of them came before the first transaction began: it read once and kept once.
        assert grounds.statements == 2
        kept = {str(row.id) for row in await grounds.kept()}
        adverse = {
            decision_id
            for each in answers
            for decision_id, outcome in zip(each.ids, told(each), strict=True)
            if outcome == "deny"
        }
        assert kept == adverse


async def test_callers_of_an_older_list_are_told_by_the_newest_with_all_others(
    database_url: str,
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        await grounds.hold_lease()
        version = await grounds.publish_elsewhere(listing(OFFICER))
        # The batch is confirmed at the version of the cache, the single check at any.
        answers = await asyncio.gather(
            grounds.ask(DEBTOR, INNOCENT), grounds.ask(DEBTOR), grounds.ask(DEBTOR, OFFICER)
        )
        assert [told(each) for each in answers] == [
            ["allow", "allow"],
            ["allow"],
            ["allow", "deny"],
        ]
        assert {each.list.version for each in answers} == {version}


async def test_a_large_batch_goes_by_itself_in_slices_and_nobody_waits_behind_it(
    database_url: str,
) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        batch, single = await asyncio.gather(
            grounds.ask(*[DEBTOR] * (GROUP_CHECKS_MAX + 1)), grounds.ask(DEBTOR)
        )
        assert set(told(batch)) == set(told(single)) == {"deny"}
        slices_of_the_batch = -(-(GROUP_CHECKS_MAX + 1) // SLICE_LISTED)
        assert grounds.statements == 2 + 2 * slices_of_the_batch


async def test_more_than_may_wait_are_told_to_come_back(database_url: str) -> None:
    async with open_grounds(database_url) as grounds:
        await grounds.publish(listing(DEBTOR))
        answers = await asyncio.gather(
            *[grounds.ask(DEBTOR) for _ in range(WAITING_MAX + 100)], return_exceptions=True
        )
        refused = [each for each in answers if isinstance(each, Unavailable)]
        denied = [each for each in answers if not isinstance(each, BaseException)]
        assert len(refused) + len(denied) == len(answers)
        assert refused
        assert {outcome for each in denied for outcome in told(each)} == {"deny"}
        assert len(await grounds.kept()) == len(denied)
