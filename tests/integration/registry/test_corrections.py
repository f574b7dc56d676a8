"""Corrections on the record: their days, and what a ruling ends and when."""

import asyncio
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from checker.corrections.correction import CorrectionState, Ruling
from checker.domain.deadlines import DueBasis
from checker.errors import Conflict, InvalidRequest
from tests.integration.registry.correction_filings import (
    CONTACT,
    GROUND,
    about,
    listed_for_correction,
    refused,
    rule,
)
from tests.support.operation_lines import delist, list_
from tests.support.registry_grounds import (
    accepted,
    listings_in_force,
    outcome_of,
    person_listing,
    query,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def listed(node):
    return await listed_for_correction(node)


async def ids_of(node, status):
    return [each.id for each in await node.corrections.page(status, 0, 100)]


async def test_a_correction_is_due_three_days_on_and_overdue_on_the_fourth(listed, clock):
    filed = await listed.corrections.file(about(1))
    assert (filed.received_on, filed.due_on) == (date(2026, 11, 23), date(2026, 11, 26))
    seen = []
    for _ in range(5):
        counts = await listed.corrections.count()
        overdue = await ids_of(listed, CorrectionState.OVERDUE)
        seen.append((counts.waiting, counts.overdue, overdue == [filed.id]))
        assert await ids_of(listed, CorrectionState.OPEN) == [filed.id]
        clock.move(days=1)
    assert seen == [(1, 0, False)] * 4 + [(1, 1, True)]
    await rule(listed, filed, Ruling.REJECTED)
    counts = await listed.corrections.count()
    assert (counts.waiting, counts.overdue) == (0, 0)
    assert await ids_of(listed, CorrectionState.RULED) == await ids_of(listed, None) == [filed.id]


async def test_a_correction_shows_how_its_days_were_counted(listed, clock):
    clock.move(days=37)  # Wednesday, 30 December 2026: no calendar is announced for 2027
    filed = await listed.corrections.file(about(1))
    assert (filed.due_on, filed.due_basis) == (date(2027, 1, 4), DueBasis.CALENDAR_ROLL)
    assert filed.provisional


async def test_a_day_is_one_in_shanghai(listed, clock):
    clock.move(hours=15)  # 16:02 UTC: the next day has begun there
    filed = await listed.corrections.file(about(1))
    assert (filed.received_on, filed.due_on) == (date(2026, 11, 24), date(2026, 11, 27))


async def test_what_is_upheld_ends_the_listing_with_the_ruling_as_one_change(listed):
    filed = await listed.corrections.file(about(1))
    [(version,)] = await query(listed, "SELECT max(version) FROM change")
    ruled = await rule(listed, filed, note="判决已撤销")
    assert ruled.version == version + 1
    assert [each.delisted for each in ruled.listings] == [True]
    assert await outcome_of(listed, 1) == "allow"
    assert await outcome_of(listed, 2) == "deny"
    directives = await query(listed, 'SELECT kind, ground, "on", from_version FROM directive')
    assert directives == [("delisting", "corrected", date(2026, 11, 23), ruled.version)]


async def test_what_is_rejected_changes_nothing_of_the_list(listed):
    filed = await listed.corrections.file(about(1))
    changes = await query(listed, "SELECT * FROM change")
    ruled = await rule(listed, filed, Ruling.REJECTED)
    assert (ruled.ruling, ruled.version) == (Ruling.REJECTED, None)
    assert await query(listed, "SELECT * FROM change") == changes
    assert await outcome_of(listed, 1) == "deny"


async def test_a_ruling_that_cannot_be_written_ends_no_listing(listed):
    filed = await listed.corrections.file(about(1))
    with pytest.raises(IntegrityError):
        await rule(listed, filed, ruled_by="nobody")
    assert await outcome_of(listed, 1) == "deny"
    assert await listed.corrections.find(filed.id) == filed
    await rule(listed, filed)
    assert await outcome_of(listed, 1) == "allow"


async def test_a_ruling_that_cannot_be_written_takes_no_other_change_along(listed):
    filed = await listed.corrections.file(about(1))
    told = await asyncio.gather(
        accepted(listed, delist(2)),
        rule(listed, filed, ruled_by="nobody"),
        accepted(listed, list_(person_listing(5))),
        return_exceptions=True,
    )
    assert isinstance(told[1], IntegrityError)
    assert await listings_in_force(listed) == {"listing-1", "listing-3", "listing-5"}


async def test_of_two_rulings_at_once_one_stands_and_the_other_names_it(listed):
    filed = await listed.corrections.file(about(1))
    rulings = [Ruling.UPHELD, Ruling.REJECTED, Ruling.UPHELD]
    told = await asyncio.gather(
        *(rule(listed, filed, each) for each in rulings), return_exceptions=True
    )
    conflicts = [each for each in told if isinstance(each, Conflict)]
    [stands] = [each for each in told if each not in conflicts]
    assert {each.resolution.status for each in conflicts} == {stands.ruling}
    outcome = "allow" if stands.ruling is Ruling.UPHELD else "deny"
    assert await outcome_of(listed, 1) == outcome
    [delistings] = await query(listed, "SELECT count(*) FROM directive WHERE kind = 'delisting'")
    assert delistings == (int(outcome == "allow"),)


async def test_a_listing_that_has_ended_may_still_be_corrected(listed):
    await accepted(listed, delist(1, "fulfilled"))
    filed = await listed.corrections.file(about(1))
    ruled = await rule(listed, filed)
    assert ruled.ruling is Ruling.UPHELD
    grounds = await query(listed, "SELECT ground FROM directive")
    assert grounds == [("fulfilled",)]


async def test_by_a_decision_every_listing_that_it_rests_on_is_corrected(listed):
    other_case = person_listing(1) | {"id": "listing-1b"}
    await accepted(listed, list_(other_case))
    filed = await listed.corrections.file(about(decision_id=await refused(listed, 1)))
    assert [each.id for each in filed.listings] == ["listing-1", "listing-1b"]
    ruled = await rule(listed, filed, listing_ids=["listing-1b"])
    assert [each.delisted for each in ruled.listings] == [False, True]
    assert await outcome_of(listed, 1) == "deny"


async def test_listings_of_several_courts_end_only_if_they_are_named(listed):
    other_case = person_listing(1) | {"id": "listing-1b", "court": "徐闻县人民法院"}
    await accepted(listed, list_(other_case))
    filed = await listed.corrections.file(about(decision_id=await refused(listed, 1)))
    with pytest.raises(InvalidRequest):
        await rule(listed, filed)
    assert await outcome_of(listed, 1) == "deny"
    await rule(listed, filed, listing_ids=["listing-1", "listing-1b"])
    assert await outcome_of(listed, 1) == "allow"


async def test_what_was_written_stands_sealed_and_is_opened_for_the_court(listed):
    filed = await listed.corrections.file(about(1))
    await rule(listed, filed, note="查明属实")
    rows = await query(listed, "SELECT correction::text FROM correction")
    told = repr(rows)
    for written in (GROUND, CONTACT, "查明属实"):
        assert written not in told
        assert written.encode().hex() not in told
    words = await listed.corrections.words(filed)
    assert (words.ground, words.contact, words.note) == (GROUND, CONTACT, "查明属实")


async def test_pages_hold_every_correction_once_in_the_order_of_receipt(listed):
    filed = [(await listed.corrections.file(about(1, ground=str(each)))).id for each in range(5)]
    seen, after = [], 0
    while page := await listed.corrections.page(None, after, 2):
        seen += [each.id for each in page]
        after = page[-1].number
    assert seen == filed
