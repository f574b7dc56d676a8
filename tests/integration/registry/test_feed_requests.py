"""Feeds under a key or a version: done once, answered again, and never after what came later."""

import asyncio

import msgspec
import pytest

from checker.errors import Conflict, IdempotencyKeyReused, Unavailable
from checker.intake.change_slices import SLICE_LINES
from checker.intake.feed_requests import ANSWERS_KEPT, FeedTerms, RequestKey
from checker.intake.wanted import Wanted
from checker.text_encoding import Utf8Text
from tests.support.registry_grounds import (
    apply,
    feed_of,
    listings_in_force,
    ndjson,
    outcome_of,
    person_listing,
    publish,
    query,
)

pytestmark = pytest.mark.anyio

LINES = 2 * SLICE_LINES + 20


class Died(Exception):
    """Ends a process between two commits."""


def under(key, request="a request", **terms):
    digests = RequestKey(key_digest=key.encode(), request_digest=request.encode())
    return FeedTerms(key=digests, **terms)


def list_(index):
    return {"op": "list", "listing": person_listing(index)}


def delist(index):
    ended = {"op": "delist", "listing_id": f"listing-{index}", "ground": "corrected"}
    return ended | {"on": "2026-11-01"}


def refused(error):
    return error.value.is_precondition


async def test_the_same_changes_under_a_key_are_done_once(node):
    await publish(node, [person_listing(1)])
    first = await apply(node, list_(2), list_(2), terms=under("k"))
    await apply(node, delist(2))
    assert await apply(node, list_(2), list_(2), terms=under("k")) == first
    assert await outcome_of(node, 2) == "allow"


async def test_the_same_list_under_a_key_is_taken_in_once(node, other_node):
    listings = [person_listing(1), {"id": "no listing"}]
    first = await publish(node, listings, terms=under("k"))
    await apply(node, list_(2))
    assert await publish(other_node, listings, terms=under("k")) == first
    assert await listings_in_force(node) == {"listing-1", "listing-2"}


async def test_another_request_under_a_used_key_is_refused_before_anything_else(node):
    await publish(node, [person_listing(1)], terms=under("k"))
    for other in (
        publish(node, [], terms=under("k", "another")),
        apply(node, list_(2), terms=under("k", "another", if_match=99)),
    ):
        with pytest.raises(IdempotencyKeyReused):
            await other
    assert await listings_in_force(node) == {"listing-1"}


async def test_requests_that_run_at_once_under_a_key_are_done_once(node, other_node):
    await publish(node, [person_listing(1)])
    before = await query(node, "SELECT count(*) FROM change")
    reports = await asyncio.gather(
        *(apply(each, list_(2), terms=under("k")) for each in [node, other_node] * 5)
    )
    assert all(report == reports[0] for report in reports)
    assert (await query(node, "SELECT count(*) FROM change"))[0][0] == before[0][0] + 1


async def test_a_feed_that_died_in_the_middle_goes_on_after_its_last_commit(node, other_node):
    await publish(node, [person_listing(1)])
    body = [list_(index) for index in range(10, 10 + LINES)] + [{"op": "nothing"}]

    async def dying():
        yield ndjson(body[: SLICE_LINES + 1])
        raise Died

    with pytest.raises(Died):
        await node.changes.apply(dying(), terms=under("k"))
    assert len(await listings_in_force(node)) == 1 + SLICE_LINES
    # The change in between stands: no line is repeated.
    await apply(node, delist(10))
    report = await apply(other_node, *body, terms=under("k"))
    assert (report.accepted, report.rejected_count) == (LINES, 1)
    assert report.rejected[0].line == LINES + 1
    assert len(await listings_in_force(node)) == LINES
    assert await apply(node, *body, terms=under("k")) == report


async def test_a_feed_that_died_behind_its_removals_repeats_none_of_them(node, other_node):
    await publish(node, [person_listing(1), person_listing(2)])
    body = [list_(index) for index in range(10, 10 + LINES)] + [delist(1)]
    readings = 0

    async def dying():
        nonlocal readings
        readings += 1
        yield ndjson(body if readings == 1 else body[: SLICE_LINES + 1])
        if readings == 2:
            raise Died

    with pytest.raises(Died):
        await node.changes.apply(Utf8Text(dying, "utf-8"), terms=under("k"))
    assert len(await listings_in_force(node)) == 1 + SLICE_LINES
    # The change in between stands: the delisting is not repeated.
    await apply(node, list_(1))
    whole = Utf8Text(lambda: feed_of(ndjson(body)))
    report = await other_node.changes.apply(whole, terms=under("k"))
    assert (report.accepted, report.rejected_count) == (LINES + 1, 0)
    assert len(await listings_in_force(node)) == 2 + LINES
    assert await outcome_of(node, 1) == "deny"


async def test_a_feed_that_another_connection_took_over_goes_no_further(node, other_node):
    await publish(node, [person_listing(1)])
    body = [list_(index) for index in range(10, 10 + LINES)]
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        yield ndjson(body[:SLICE_LINES])
        yield ndjson(body[SLICE_LINES : 2 * SLICE_LINES])
        reached.set()
        await go_on.wait()
        yield ndjson(body[2 * SLICE_LINES :])

    stuck = asyncio.create_task(node.changes.apply(slow(), terms=under("k")))
    await reached.wait()
    report = await apply(other_node, *body, terms=under("k"))
    assert report.accepted == LINES
    await apply(node, delist(10))
    go_on.set()
    # It gives what the other one came to, and lists nobody again.
    assert await stuck == report
    assert await outcome_of(node, 10) == "allow"


async def test_a_refused_list_is_refused_again_under_its_key(node):
    await publish(node, [person_listing(index) for index in range(1, 6)])
    with pytest.raises(Conflict):
        await publish(node, [person_listing(1)], terms=under("k"))
    # Without a key it would pass now, and undo this.
    await publish(node, [person_listing(2)], allow_shrink=True)
    with pytest.raises(Conflict):
        await publish(node, [person_listing(1)], terms=under("k"))
    assert await listings_in_force(node) == {"listing-2"}


async def test_a_version_that_has_moved_on_changes_nothing(node):
    version = (await publish(node, [person_listing(1)])).version
    terms = FeedTerms(if_match=version)
    assert (await apply(node, list_(2), terms=terms)).version == version + 1
    for late in (
        apply(node, list_(3), terms=terms),
        publish(node, [person_listing(3), person_listing(4)], terms=terms),
        apply(node, list_(3), terms=under("k", if_match=version)),
    ):
        with pytest.raises(Conflict) as refusal:
            await late
        assert refused(refusal)
    assert await listings_in_force(node) == {"listing-1", "listing-2"}
    # Nothing was done, so the key is free for the version of now.
    again = under("k", if_match=version + 1)
    assert (await apply(node, list_(3), terms=again)).version == version + 2


async def test_of_feeds_with_one_version_that_come_at_once_one_is_done(node):
    version = (await publish(node, [person_listing(1)])).version
    terms = FeedTerms(if_match=version)
    results = await asyncio.gather(
        *(apply(node, list_(index), terms=terms) for index in range(2, 8)), return_exceptions=True
    )
    done = [each for each in results if not isinstance(each, Conflict)]
    assert [each.version for each in done] == [version + 1]
    assert len(await listings_in_force(node)) == 2


async def test_a_feed_with_a_version_is_all_of_one_version(node):
    version = (await publish(node, [person_listing(1)])).version
    body = [list_(index) for index in range(10, 10 + LINES)]
    report = await apply(node, *body, terms=FeedTerms(if_match=version))
    assert (report.version, report.accepted) == (version + 1, LINES)


async def test_a_feed_whose_caller_has_gone_is_not_begun(node):
    await publish(node, [person_listing(1)])
    wanted = Wanted()
    wanted.leave()
    for late in (
        apply(node, list_(2), terms=FeedTerms(wanted=wanted)),
        publish(node, [person_listing(2)], terms=FeedTerms(wanted=wanted)),
    ):
        with pytest.raises(Unavailable, match="gone"):
            await late
    assert await listings_in_force(node) == {"listing-1"}


async def test_one_that_is_not_begun_stops_nobody_who_waits_with_it(node):
    await publish(node, [person_listing(1)])
    wanted = Wanted()
    wanted.leave()
    results = await asyncio.gather(
        apply(node, list_(2)),
        apply(node, list_(3), terms=FeedTerms(wanted=wanted)),
        apply(node, list_(4)),
        return_exceptions=True,
    )
    assert isinstance(results[1], Unavailable)
    assert await listings_in_force(node) == {"listing-1", "listing-2", "listing-4"}


async def test_keys_are_forgotten_after_their_time_alone(node, clock):
    await publish(node, [person_listing(1)], terms=under("k"))
    clock.move(hours=24)
    await node.feed_requests.forget()
    assert len(await query(node, "SELECT at FROM feed_request")) == 1
    clock.instant += ANSWERS_KEPT
    await node.feed_requests.forget()
    assert not await query(node, "SELECT at FROM feed_request")


async def test_no_key_stands_in_the_record(node):
    key = node.sealer.key_digest("/v1/feed/changes", "court", "440882185001010016")
    digests = RequestKey(key_digest=key, request_digest=b"x")
    await apply(node, list_(1), terms=FeedTerms(key=digests))
    [row] = await query(node, "SELECT * FROM feed_request")
    assert b"440882185001010016" not in msgspec.json.encode([str(each) for each in row])
    assert row.key_digest == key


async def test_feeds_without_lines_are_answered_under_a_key_too(node):
    first = await node.changes.apply(feed_of(b""), terms=under("k"))
    assert await node.changes.apply(feed_of(b""), terms=under("k")) == first
