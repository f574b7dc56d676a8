"""A snapshot: what it replaces, what it keeps, and which past can be read."""

import asyncio

import pytest

from cache.keys import Keys
from checker.domain.clock import shanghai_day
from checker.errors import InvalidRequest
from checker.formats.zxgk import ZXGK
from checker.registry.sealing import QUARANTINE_RAW
from checker.registry.summary import summarize
from loadtest.population import Population
from tests.support.registry_grounds import (
    AT,
    check_of,
    company_listing,
    feed_of,
    listings_in_force,
    name_of,
    ndjson,
    outcome_of,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio


async def test_a_snapshot_replaces_the_whole_list(node):
    first = await publish(node, [person_listing(1), person_listing(2)])
    second = await publish(node, [person_listing(2), person_listing(3)])

    assert (first.version, second.version) == (1, 2)
    assert [await outcome_of(node, index) for index in (1, 2, 3)] == ["allow", "deny", "deny"]
    assert await listings_in_force(node) == {"listing-2", "listing-3"}


async def test_a_check_sees_one_list_or_the_other_while_they_are_replaced(node, other_node):
    await publish(node, [person_listing(1)])
    await settled(other_node)
    both = [check_of(resident_id(1)), check_of(resident_id(2))]
    seen = {tuple(await outcomes(other_node, both))}
    replacing = asyncio.create_task(publish(node, [person_listing(2), *_many(300)]))
    while not replacing.done():
        seen.add(tuple(await outcomes(other_node, both)))
    seen.add(tuple(await outcomes(other_node, both)))

    assert seen == {("deny", "allow"), ("allow", "deny")}


async def test_an_unchanged_listing_keeps_its_row(node):
    await publish(node, [person_listing(1), company_listing(2, ("principal", 3))])
    before = await query(node, "SELECT id, pk FROM listing ORDER BY id")
    changed = company_listing(2, ("principal", 4))
    await publish(node, [person_listing(1), changed])
    after = await query(node, "SELECT id, pk FROM listing WHERE until_version IS NULL ORDER BY id")

    assert after[0] == before[0]
    assert after[1].pk != before[1].pk
    assert await outcome_of(node, 3) == "allow"
    assert await outcome_of(node, 4) == "deny"


async def test_the_same_file_again_writes_nothing_but_its_change(node):
    lines = b"".join(Population(3, 200).zxgk_lines())
    first = await node.feed.replace(feed_of(lines), feed_format=ZXGK)
    count = "SELECT (SELECT count(*) FROM {}) AS rows"
    tables = ("listing", "officer_link", "document")
    before = [await query(node, count.format(table)) for table in tables]
    second = await node.feed.replace(feed_of(lines), feed_format=ZXGK)

    assert second.version == first.version + 1
    assert second.accepted == first.accepted > 150
    assert [await query(node, count.format(table)) for table in tables] == before
    assert await query(node, "SELECT pk FROM listing WHERE until_version IS NOT NULL") == []


async def test_what_was_in_force_at_an_earlier_version_can_be_told(node):
    lists = [[1, 2, 3], [2, 3], [3, 4], [1, 4], [4]]
    for people in lists:
        await publish(node, [person_listing(index) for index in people])

    for version, people in enumerate(lists, 1):
        rows = await query(
            node,
            "SELECT id FROM listing WHERE from_version <= :version"
            " AND (until_version IS NULL OR until_version > :version)",
            version=version,
        )
        assert sorted(row.id for row in rows) == [f"listing-{index}" for index in people]


async def test_a_listing_that_comes_back_gets_a_new_row(node):
    for people in ([1, 2], [2], [1, 2]):
        await publish(node, [person_listing(index) for index in people])
    rows = await query(
        node,
        "SELECT from_version, until_version FROM listing WHERE id = 'listing-1' ORDER BY pk",
    )

    assert [tuple(row) for row in rows] == [(1, 2), (3, None)]


async def test_rows_in_are_rows_in_force(node):
    lines = list(Population(5, 600).listing_lines())
    report = await node.feed.replace(feed_of(*lines))
    generation = await node.cache.current()
    # Each shape of masked numbers has a marker.
    [[entries]] = await query(
        node, "SELECT count(DISTINCT token) + count(DISTINCT shape) FROM document"
    )

    assert report.accepted == 600
    assert report.rejected_count == 0
    assert len(await listings_in_force(node)) == 600
    assert generation.version == report.version
    assert generation.entries == entries


async def test_two_snapshots_at_once_come_one_after_the_other(node, other_node):
    lists = ([person_listing(1), *_many(200)], [person_listing(2)])
    reports = await asyncio.gather(
        publish(node, lists[0], allow_shrink=True), publish(other_node, lists[1], allow_shrink=True)
    )
    last = lists[0] if reports[0].version == 2 else lists[1]

    assert {report.version for report in reports} == {1, 2}
    assert await listings_in_force(node) == {listing["id"] for listing in last}
    await settled(node)
    assert (await node.cache.current()).version == 2


def opened(node, row):
    return node.sealer.vault.open(row.raw, QUARANTINE_RAW, row.feed, str(row.line))


async def test_a_rejected_line_stands_sealed_in_quarantine_and_the_rest_in_force(node):
    wrong = person_listing(2) | {"secret": name_of(77)}
    report = await publish(node, [person_listing(1), wrong, person_listing(3)])
    [row] = await query(
        node, "SELECT version, feed, line, format, code, detail, raw FROM quarantine"
    )

    assert report.accepted == 2
    assert [line.line for line in report.rejected] == [2]
    assert (row.version, row.line, row.format) == (1, 2, "listing")
    assert (row.code, row.detail) == (report.rejected[0].code, report.rejected[0].detail)
    assert name_of(77).encode() not in row.raw
    assert (
        node.sealer.vault.open(row.raw, QUARANTINE_RAW, row.feed, str(row.line))
        == ndjson([wrong]).decode().strip()
    )


async def test_a_line_with_a_nul_spoils_nothing_but_itself(node):
    report = await publish(
        node, [person_listing(1), person_listing(2, court="雷州\0法院"), person_listing(3)]
    )

    assert (report.accepted, report.rejected_count) == (2, 1)
    assert await listings_in_force(node) == {"listing-1", "listing-3"}


async def test_the_second_of_two_lines_with_one_id_is_rejected(node):
    report = await publish(node, [person_listing(1), person_listing(2, id="listing-1")])

    assert [(line.line, line.code) for line in report.rejected] == [(2, "duplicate-id")]
    assert await outcome_of(node, 2) == "allow"


@pytest.mark.parametrize("sent", [b"", b"\n \n", b"not json\n"])
async def test_a_snapshot_without_a_listing_frees_nobody(node, sent):
    await publish(node, [person_listing(1)])
    with pytest.raises(InvalidRequest):
        await node.feed.replace(feed_of(sent))

    assert await outcome_of(node, 1) == "deny"


async def test_an_empty_snapshot_that_is_meant_frees_everybody(node):
    await publish(node, [person_listing(1)])
    report = await publish(node, [], allow_empty=True)

    assert (report.version, report.accepted) == (2, 0)
    assert await outcome_of(node, 1) == "allow"


async def test_a_batch_of_named_people_larger_than_the_protocols_parameters_is_answered(
    node, redis_client
):
    await publish(node, [person_listing(1)])
    redis_client.flushall()
    crowd = [check_of(resident_id(index), name_of(index)) for index in range(1, 10_001)]

    assert await outcomes(node, crowd) == ["deny"] + ["allow"] * 9_999


async def test_redis_keeps_no_list_but_the_one_in_force(node, redis_client):
    for index in range(3):
        await publish(node, [person_listing(index)])
    live = await node.cache.current()
    ids = {Keys().generation_of(key.decode()) for key in redis_client.scan_iter("checker:*")}

    assert ids == {None, live.id}


async def test_progress_tells_the_lines_read_so_far(node):
    told = []
    await publish(node, _many(50), progress=told.append)

    assert told == [20, 40, 50]


def _many(count):
    return [person_listing(index) for index in range(1_000, 1_000 + count)]


async def test_a_snapshot_that_is_rejected_whole_frees_nobody_and_stands_in_quarantine(node):
    await publish(node, [person_listing(1)])
    wrong = person_listing(2) | {"secret": name_of(77)}
    with pytest.raises(InvalidRequest) as refused:
        await publish(node, [wrong])
    [row] = await query(node, "SELECT version, feed, line, raw FROM quarantine")

    assert [fault.pointer for fault in refused.value.faults] == ["/1"]
    assert (row.version, row.line) == (None, 1)
    assert (
        node.sealer.vault.open(row.raw, QUARANTINE_RAW, row.feed, str(row.line))
        == ndjson([wrong]).decode().strip()
    )
    assert await outcome_of(node, 1) == "deny"


async def test_a_sender_that_is_stuck_keeps_nobody_else_from_the_list(node, other_node):
    begun, stuck = asyncio.Event(), asyncio.Event()

    async def halting():
        yield ndjson([person_listing(1)])
        begun.set()
        await stuck.wait()

    slow = asyncio.create_task(node.feed.replace(halting()))
    await begun.wait()
    report = await publish(other_node, [person_listing(2)])
    assert report.version == 1
    stuck.set()
    assert (await slow).version == 2
    assert await listings_in_force(node) == {"listing-1"}


async def test_who_is_listed_with_two_documents_is_counted_once(node):
    twice = person_listing(1)
    twice["party"]["documents"].append({"type": "passport", "number": "P1234567"})
    await publish(node, [twice, person_listing(2)])
    assert (await summarize(node.engine, shanghai_day(AT), node.policies.deadlines)).persons == 2
