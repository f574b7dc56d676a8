"""The feed of changes: order, sending twice, all or nothing, and what its answer says."""

import asyncio
from datetime import date, timedelta

import pytest

from checker.domain.deadlines import Deadlines, DueBasis
from checker.errors import TooLarge
from checker.intake.change_slices import SLICE_LINES, STRICT_LINES_MAX
from checker.registry.summary import summarize
from checker.registry.versions import newest_version
from checker.text_encoding import Utf8Text
from tests.support.operation_lines import (
    bind,
    delist,
    fulfil,
    list_,
    officers,
    passport,
    permit,
    retain,
    shield,
    unshield,
    withdraw,
)
from tests.support.registry_grounds import (
    accepted,
    apply,
    company_listing,
    document,
    feed_of,
    listings_in_force,
    name_of,
    ndjson,
    outcome_of,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
    until,
)

pytestmark = pytest.mark.anyio

AIR = "cn-2016-64/2.7.1"
OTHER_COURT = "徐闻县人民法院"
TWO_OFFICERS = company_listing(3, ("principal", 4), ("actual_controller", 5))["officers"]
# Each operation, on a list of two persons and a company.
EACH = [
    list_(person_listing(5)),
    list_(person_listing(1, expires_on="2027-01-01")),
    delist(1),
    delist(1, "settled", on="2026-12-01"),
    delist(1, on="2026-01-01"),
    shield(1),
    unshield(1),
    fulfil(1),
    fulfil(1, on="2026-11-01"),
    officers(3, TWO_OFFICERS),
    officers(3, []),
    bind(document(resident_id(1)), passport(1)),
    permit(),
    permit(uses=3),
    retain(1, AIR, until="2027-01-01"),
]
LISTS = ("listing", "directive", "bound_document", "permit", "officer_link", "document", "outline")


@pytest.fixture
async def listed(node):
    await publish(
        node, [person_listing(1), person_listing(2), company_listing(3, ("principal", 4))]
    )
    return await settled(node)


async def rows_of(node, *tables):
    return {
        table: sorted(map(repr, await query(node, f"SELECT * FROM {table}"))) for table in tables
    }


@pytest.mark.parametrize("operation", EACH, ids=lambda operation: operation["op"])
async def test_an_operation_sent_twice_leaves_one_list_and_no_new_version(listed, operation):
    version = await accepted(listed, operation)
    before = await rows_of(listed, *LISTS, "change", "quarantine")
    report = await apply(listed, operation)
    assert (report.version, report.accepted, report.rejected) == (version, 1, ())
    assert await rows_of(listed, *LISTS, "change", "quarantine") == before


async def test_a_whole_feed_sent_again_after_its_answer_was_lost_leaves_the_same_list(listed):
    feed = [
        list_(person_listing(5)),
        delist(1),
        bind(document(resident_id(2)), passport(2)),
        permit("p1", 2),
        permit("p2", 2),
        withdraw("p2"),
        delist(5, "corrected"),
        officers(3, TWO_OFFICERS),
    ]
    await accepted(listed, *feed)
    before = await rows_of(listed, *LISTS)
    report = await apply(listed, *feed)
    assert report.accepted + report.rejected_count == len(feed)
    answers = [await outcome_of(listed, index) for index in (1, 2, 3, 4, 5)]
    report_again = await apply(listed, *feed[1:])
    assert report_again.rejected == ()
    assert [await outcome_of(listed, index) for index in (1, 2, 3, 4, 5)] == answers
    assert answers == ["allow", "allow", "allow", "deny", "deny"]
    assert await rows_of(listed, "bound_document", "permit") == {
        table: before[table] for table in ("bound_document", "permit")
    }


async def test_lines_are_applied_in_their_order(listed):
    await accepted(listed, list_(person_listing(5)), delist(5))
    await accepted(listed, delist(1), list_(person_listing(1)))
    assert [await outcome_of(listed, index) for index in (1, 5)] == ["deny", "allow"]


async def test_a_rejected_line_changes_nothing_and_the_others_stand(listed):
    wrong = list_(person_listing(6) | {"secret": name_of(6)})
    report = await apply(listed, delist(1), wrong, shield(9), {"op": "erase"}, delist(2))
    assert [(line.line, line.code) for line in report.rejected] == [
        (2, "invalid-listing"),
        (3, "unknown-listing"),
        (4, "invalid-operation"),
    ]
    assert (report.version, report.accepted, report.rejected_count) == (2, 2, 3)
    assert [await outcome_of(listed, index) for index in (1, 2, 4, 6)] == ["allow"] * 2 + [
        "deny",
        "allow",
    ]


async def test_a_strict_feed_with_a_rejected_line_changes_nothing_at_all(listed):
    before = await rows_of(listed, *LISTS, "change")
    report = await apply(listed, delist(1), shield(9), delist(2), strict=True)
    assert [(line.line, line.code) for line in report.rejected] == [(2, "unknown-listing")]
    assert (report.version, report.accepted) == (1, 0)
    assert await rows_of(listed, *LISTS, "change") == before
    assert [await outcome_of(listed, index) for index in (1, 2)] == ["deny", "deny"]


async def test_a_strict_feed_without_a_fault_is_one_version(listed):
    feed = [list_(person_listing(index)) for index in range(10, 10 + SLICE_LINES + 50)]
    report = await apply(listed, *feed, delist(1), strict=True)
    assert (report.version, report.accepted, report.rejected) == (2, len(feed) + 1, ())
    assert [await outcome_of(listed, index) for index in (1, 10, 10 + SLICE_LINES)] == [
        "allow",
        "deny",
        "deny",
    ]


async def test_a_strict_feed_that_is_too_long_changes_nothing(listed):
    line = ndjson([delist(1)])
    with pytest.raises(TooLarge):
        await listed.changes.apply(feed_of(line * (STRICT_LINES_MAX + 1)), strict=True)
    assert await outcome_of(listed, 1) == "deny"


async def test_a_strict_feed_beside_others_in_one_commit_fails_alone(listed):
    reports = await asyncio.gather(
        apply(listed, delist(1)),
        apply(listed, list_(person_listing(7)), shield(9), strict=True),
        apply(listed, list_(person_listing(8)), strict=True),
        apply(listed, shield(2), shield(9)),
    )
    assert [(report.accepted, report.rejected_count) for report in reports] == [
        (1, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert [await outcome_of(listed, index) for index in (1, 2, 7, 8)] == [
        "allow",
        "allow",
        "allow",
        "deny",
    ]


async def test_each_of_many_who_send_at_once_learns_of_its_own_lines(listed, other_node):
    async def send(node, index):
        report = await apply(node, list_(person_listing(index)), shield(10_000 + index))
        assert [(line.line, line.code) for line in report.rejected] == [(2, "unknown-listing")]
        assert await outcome_of(other_node, index) == await outcome_of(listed, index) == "deny"
        return report.version

    senders = [send((listed, other_node)[index % 2], index) for index in range(100, 140)]
    versions = await asyncio.gather(*senders)
    [[newest]] = await query(listed, "SELECT max(version) FROM change")
    [[count]] = await query(listed, "SELECT count(*) FROM change")
    assert max(versions) == newest == count
    assert len(await listings_in_force(listed)) == 43


@pytest.mark.parametrize("ended", [False, True])
async def test_an_id_of_another_courts_listing_is_taken_while_that_one_stands(listed, ended):
    if ended:
        await accepted(listed, delist(1))
    theirs = person_listing(7, id="listing-1", court=OTHER_COURT)
    report = await apply(listed, list_(theirs))
    assert [line.code for line in report.rejected] == ([] if ended else ["id-taken"])
    answers = ["allow", "deny"] if ended else ["deny", "allow"]
    assert [await outcome_of(listed, index) for index in (1, 7)] == answers


async def test_an_empty_feed_tells_the_newest_version(listed):
    report = await listed.changes.apply(feed_of(b"\n \n"))
    assert (report.version, report.accepted, report.rejected) == (1, 0, ())


async def test_a_feed_that_breaks_off_leaves_whole_slices_and_nothing_by_half(listed):
    class CourtHungUp(Exception):
        pass

    async def broken():
        for index in range(10, 10 + SLICE_LINES + 5):
            yield ndjson([list_(person_listing(index))])
        raise CourtHungUp

    with pytest.raises(CourtHungUp):
        await listed.changes.apply(broken())
    assert len(await listings_in_force(listed)) == 3 + SLICE_LINES
    # Nobody was told that it is in force, so nobody has waited for that yet.
    async with listed.engine.connect() as connection:
        newest = await newest_version(connection)
    await listed.barrier.wait(newest)
    assert await outcome_of(listed, 9 + SLICE_LINES) == "deny"
    assert await outcome_of(listed, 10 + SLICE_LINES) == "allow"


async def test_a_delisting_at_the_end_of_a_file_is_in_force_before_the_other_lines(listed):
    others = [list_(person_listing(index)) for index in range(10, 10 + 2 * SLICE_LINES)]
    file = [*others, {"op": "nothing"}, shield(2), delist(1)]
    readings = 0
    go_on = asyncio.Event()

    async def read():
        nonlocal readings
        readings += 1
        if readings == 1:
            yield ndjson(file)
            return
        yield ndjson(file[: SLICE_LINES + 1])
        await go_on.wait()
        yield ndjson(file[SLICE_LINES + 1 :])

    applying = asyncio.create_task(listed.changes.apply(Utf8Text(read, "utf-8")))

    async def both_are_free():
        return [await outcome_of(listed, index) for index in (1, 2)] == ["allow", "allow"]

    await until(both_are_free)
    assert not applying.done()
    assert len(await listings_in_force(listed)) == 2
    go_on.set()
    report = await applying
    assert (report.accepted, [line.line for line in report.rejected]) == (
        len(others) + 2,
        [len(others) + 1],
    )
    assert len(await listings_in_force(listed)) == 2 + len(others)


async def test_progress_tells_the_lines_read_so_far(listed):
    told = []
    await apply(listed, *[shield(1)] * 50, progress=told.append)
    assert told == [20, 40, 50]


async def test_what_has_ended_or_is_overdue_is_counted_as_such(listed, clock):
    await accepted(listed, fulfil(1), delist(2, on="2026-11-25"))
    counted = []
    for days in (0, 2, 4):
        today = clock.instant.date()
        summary = await summarize(listed.engine, today, listed.policies.deadlines)
        counted.append((days, summary.listings, summary.overdue_removals))
        clock.move(days=2)
    assert counted == [(0, 3, 0), (2, 2, 0), (4, 2, 1)]


async def test_a_removal_over_a_holiday_is_counted_as_overdue_after_its_due_day(listed):
    """The count and the rule use one calendar, by either basis."""
    await accepted(listed, fulfil(1, on="2026-09-30"))
    due = {DueBasis.CALENDAR_ROLL: date(2026, 10, 8), DueBasis.WORKING: date(2026, 10, 10)}
    for basis, day in due.items():
        deadlines = Deadlines(calendar=listed.policies.deadlines.calendar, basis=basis)
        for days, overdue in [(0, 0), (1, 1)]:
            today = day + timedelta(days=days)
            summary = await summarize(listed.engine, today, deadlines)
            assert (basis, days, summary.overdue_removals) == (basis, days, overdue)
