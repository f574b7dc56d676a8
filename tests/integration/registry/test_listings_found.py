"""Listings are found by case, with their state of the day, and removals as they are counted."""

from datetime import date

import pytest

from checker.registry.change_history import read_changes
from checker.registry.listing_search import FoundState, find_listings_of
from checker.registry.removals import read_removals
from checker.registry.summary import summarize
from tests.support.operation_lines import delist, fulfil, shield
from tests.support.registry_grounds import accepted, person_listing, publish

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 23)


async def states(node, index):
    case = person_listing(index)["case_number"]
    found = await find_listings_of(node.engine, node.sealer.vault, case, TODAY)
    return [each.state for each in found if each.id == f"listing-{index}"]


async def test_the_state_of_a_found_listing_is_that_of_the_day(node):
    await publish(node, [person_listing(index) for index in (1, 2, 3, 4)])
    await accepted(node, delist(2, on="2026-11-20"), delist(3, on="2026-12-20"), shield(4))
    assert await states(node, 1) == [FoundState.IN_FORCE]
    assert await states(node, 2) == [FoundState.ENDED]
    assert await states(node, 3) == [FoundState.IN_FORCE]
    assert await states(node, 4) == [FoundState.SHIELDED]


async def test_removals_are_those_that_the_list_counts_and_come_in_pages(node):
    await publish(node, [person_listing(index) for index in (1, 2, 3, 4)])
    await accepted(
        node,
        fulfil(1, on="2026-11-01"),
        fulfil(2, on="2026-11-02"),
        fulfil(3, on="2026-11-22"),
        fulfil(4, on="2026-11-01"),
        delist(4, on="2026-11-20"),
    )
    deadlines = node.policies.deadlines
    whole = await read_removals(node.engine, TODAY, deadlines, after=None, limit=9)
    assert [each.listing_id for each in whole] == ["listing-1", "listing-2", "listing-3"]
    overdue = [each for each in whole if each.due.on < TODAY]
    assert len(overdue) == (await summarize(node.engine, TODAY, deadlines)).overdue_removals == 2
    after = (whole[0].fulfilled_on, whole[0].number)
    assert await read_removals(node.engine, TODAY, deadlines, after=after, limit=9) == whole[1:]


async def test_a_change_is_shown_with_what_it_brought(node):
    await publish(node, [person_listing(1), person_listing(2)])
    await publish(node, [person_listing(1)])
    newest, first = await read_changes(node.engine, before=None, limit=9)
    assert (first.accepted, first.ended) == (2, 0)
    assert (newest.accepted, newest.ended, newest.quarantined) == (1, 1, 0)
    assert await read_changes(node.engine, before=newest.version, limit=9) == (first,)
