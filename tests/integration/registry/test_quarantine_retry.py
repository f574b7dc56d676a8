"""Lines that were not accepted: how they are kept, and what a retry may still put in force."""

import asyncio

import pytest

from checker.domain.clock import shanghai_day
from checker.errors import InvalidRequest, NotFound
from tests.support.operation_lines import delist, list_, shield
from tests.support.registry_grounds import (
    accepted,
    apply,
    feed_of,
    ndjson,
    outcome_of,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def listed(node):
    await publish(node, [person_listing(1), person_listing(2)])
    return await settled(node)


async def open_ids(node):
    return [line.id for line in await node.quarantine.open_lines(0, 100)]


async def quarantined(node, *operations, **options):
    """Send operations of which some are rejected; give the ids of those lines."""
    known = await open_ids(node)
    await apply(node, *operations, **options)
    return [line_id for line_id in await open_ids(node) if line_id not in known]


async def test_a_rejected_operation_is_kept_whole_with_its_reason(listed):
    sent = shield(7)
    report = await apply(listed, delist(1), sent)
    [line] = await listed.quarantine.open_lines(0, 100)
    assert (line.format, line.line, line.code) == ("changes", 2, "unknown-listing")
    assert line.detail == report.rejected[0].detail
    assert await listed.quarantine.read(line.id) == (line, ndjson([sent]).decode().strip())


async def test_nothing_of_a_rejected_line_stands_open(listed):
    await apply(listed, list_(person_listing(7) | {"secret": "x"}))
    [row] = await query(listed, "SELECT * FROM quarantine")
    assert resident_id(7) not in repr(tuple(row))
    assert resident_id(7).encode() not in row.raw


async def test_lines_are_told_page_by_page(listed):
    await apply(listed, *(shield(index) for index in range(10, 15)))
    ids = await open_ids(listed)
    first = await listed.quarantine.open_lines(0, 2)
    rest = await listed.quarantine.open_lines(first[-1].id, 100)
    assert [line.id for line in (*first, *rest)] == ids
    assert len(ids) == 5


async def test_a_line_whose_reason_is_gone_is_put_in_force_by_a_retry(listed):
    [line_id] = await quarantined(listed, shield(7))
    await accepted(listed, list_(person_listing(7)))
    report = await listed.quarantine.retry([line_id])
    assert (report.accepted, report.rejected) == (1, ())
    assert await outcome_of(listed, 7) == "allow"
    assert await open_ids(listed) == []
    [row] = await query(listed, "SELECT resolved_version FROM quarantine")
    assert row.resolved_version == report.version


async def test_a_line_that_is_rejected_again_stays_with_the_reason_of_now(listed):
    [line_id] = await quarantined(listed, shield(7))
    await accepted(listed, list_(person_listing(7)), delist(7))
    report = await listed.quarantine.retry(None)
    assert [(line.line, line.code) for line in report.rejected] == [(line_id, "listing-ended")]
    [line] = await listed.quarantine.open_lines(0, 100)
    assert (line.id, line.code) == (line_id, "listing-ended")


async def test_a_second_retry_counts_what_is_so_already_and_changes_nothing(listed):
    [line_id] = await quarantined(listed, delist(7, on="2026-11-20"))
    await accepted(listed, list_(person_listing(7)))
    await listed.quarantine.retry([line_id])
    assert await outcome_of(listed, 7) == "allow"
    version = await accepted(listed, list_(person_listing(7)))
    again = await listed.quarantine.retry([line_id])
    assert (again.accepted, again.rejected, again.version) == (1, (), version)
    # What has happened since stands: the listing that began anew is not ended by an old line.
    assert await outcome_of(listed, 7) == "deny"


async def test_two_retries_at_once_put_a_line_in_force_once(listed, other_node):
    ids = await quarantined(listed, shield(7), shield(8))
    await accepted(listed, list_(person_listing(7)), list_(person_listing(8)))
    reports = await asyncio.gather(
        *(node.quarantine.retry(ids) for node in (listed, other_node) * 2)
    )
    assert [(report.accepted, report.rejected_count) for report in reports] == [(2, 0)] * 4
    assert [await outcome_of(listed, index) for index in (7, 8)] == ["allow", "allow"]
    [[shieldings]] = await query(listed, "SELECT count(*) FROM directive WHERE kind = 'shielding'")
    assert shieldings == 2


async def test_a_listing_that_a_later_snapshot_has_replaced_is_not_brought_back(listed):
    theirs = person_listing(7, id="listing-1", court="徐闻县人民法院")
    [line_id] = await quarantined(listed, list_(theirs))
    await publish(listed, [person_listing(2)])
    report = await listed.quarantine.retry([line_id])
    assert [(line.line, line.code) for line in report.rejected] == [(line_id, "superseded")]
    assert await outcome_of(listed, 7) == "allow"


async def test_a_line_of_a_snapshot_is_retried_until_the_next_snapshot(listed):
    wrong = person_listing(7, id="listing-2")
    await publish(listed, [person_listing(2), wrong])
    [line_id] = await open_ids(listed)
    await accepted(listed, delist(2))
    report = await listed.quarantine.retry([line_id])
    assert (report.accepted, report.rejected) == (1, ())
    assert [await outcome_of(listed, index) for index in (2, 7)] == ["allow", "deny"]
    await publish(listed, [person_listing(1)])
    again = await listed.quarantine.retry([line_id])
    assert again.accepted == 1
    assert await outcome_of(listed, 7) == "allow"


async def test_a_line_of_a_refused_strict_transfer_is_not_put_in_force_alone(listed):
    [line_id] = await quarantined(listed, shield(7), delist(1), strict=True)
    await accepted(listed, list_(person_listing(7)))
    report = await listed.quarantine.retry([line_id])
    assert [(line.line, line.code) for line in report.rejected] == [(line_id, "superseded")]
    assert await outcome_of(listed, 7) == "deny"


async def test_a_line_of_a_refused_snapshot_is_not_put_in_force_alone(listed):
    with pytest.raises(InvalidRequest):
        await listed.feed.replace(feed_of(ndjson([person_listing(7, court="")])))
    [line_id] = await open_ids(listed)
    report = await listed.quarantine.retry([line_id])
    assert [line.code for line in report.rejected] == ["superseded"]


async def test_a_delisting_without_its_day_means_the_day_it_was_sent(listed, clock):
    [line_id] = await quarantined(listed, delist(7))
    clock.move(days=2)
    await accepted(listed, list_(person_listing(7)))
    await listed.quarantine.retry([line_id])
    [row] = await query(listed, "SELECT \"on\" FROM directive WHERE kind = 'delisting'")
    [sent] = await query(listed, "SELECT at FROM quarantine")
    assert row.on == shanghai_day(sent.at)


async def test_a_retry_of_an_unknown_id_tries_nothing(listed):
    [line_id] = await quarantined(listed, shield(7))
    await accepted(listed, list_(person_listing(7)))
    with pytest.raises(NotFound):
        await listed.quarantine.retry([line_id, line_id + 1_000])
    assert await outcome_of(listed, 7) == "deny"


async def test_with_nothing_open_a_retry_changes_nothing(listed):
    before = await query(listed, "SELECT * FROM change")
    report = await listed.quarantine.retry(None)
    assert (report.accepted, report.rejected) == (0, ())
    assert await query(listed, "SELECT * FROM change") == before
