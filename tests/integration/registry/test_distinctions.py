"""Distinctions: a listing never again reaches a document, by the feed and by a ruling."""

import msgspec
import pytest

from checker.corrections.correction import GroundCode, Ruling, RulingEffect
from checker.errors import Conflict, InvalidRequest
from tests.integration.registry.correction_filings import (
    SELLER,
    about,
    listed_for_correction,
    refused,
    rule,
)
from tests.support.operation_lines import bind, delist, list_, travel_permit
from tests.support.registry_grounds import (
    COURT,
    accepted,
    apply,
    check_of,
    company_listing,
    decide,
    document,
    document_of,
    name_of,
    outcome_of,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
    standing_then,
)

pytestmark = pytest.mark.anyio

NAMESAKE = resident_id(5)
NAME = name_of(1)


def distinguish(each, listing=1, **more):
    operation = {"op": "distinguish", "listing_id": f"listing-{listing}", "document": each}
    return operation | {"court": COURT, "on": "2026-11-20"} | more


def undistinguish(each, listing=1):
    return {"op": "undistinguish", "listing_id": f"listing-{listing}", "document": each}


def masked(index, number=NAMESAKE, **changes):
    """A listing that shows only a part of a number, under the name of the person `index`."""
    listed = person_listing(index, **changes)
    hidden = f"{number[:10]}****{number[14:]}"
    listed["party"]["documents"] = [document(hidden)]
    return listed


async def told(node, *numbers, name=NAME):
    checks = [check_of(number, name) for number in numbers]
    at_once = await outcomes(node, checks)
    await settled(node)
    assert await outcomes(node, checks) == at_once
    return at_once


async def test_a_listing_under_a_mask_reaches_a_namesake_no_more_through_all_that_follows(node):
    await publish(node, [masked(1), person_listing(2)])
    assert await told(node, NAMESAKE) == ["review"]
    before = await accepted(node, distinguish(document(NAMESAKE)))
    assert await told(node, NAMESAKE) == ["allow"]
    changed = masked(1, case_number="（2026）粤0882执99号")
    steps = [
        lambda: accepted(node, distinguish(document(NAMESAKE))),
        lambda: publish(node, [changed, person_listing(2)]),
        lambda: accepted(node, delist(1)),
        lambda: accepted(node, list_(masked(1))),
        lambda: publish(node, [person_listing(2)], allow_shrink=True),
        lambda: publish(node, [masked(1), person_listing(2)]),
    ]
    for step in steps:
        await step()
        assert await told(node, NAMESAKE) == ["allow"]
    assert await told(node, resident_id(2), name=name_of(2)) == ["deny"]
    asked = document_of(NAMESAKE)
    # Without a name a mask finds nobody; the past is asked with the whole number below.
    assert (await standing_then(node, asked, before)).links == ()
    await accepted(node, undistinguish(document(NAMESAKE)))
    assert await told(node, NAMESAKE) == ["review"]
    await accepted(node, undistinguish(document(NAMESAKE)))


async def test_a_distinction_is_of_one_document_and_one_listing_by_number_and_by_binding(node):
    await publish(node, [person_listing(1), person_listing(9, party=person_listing(1)["party"])])
    await accepted(node, bind(document(resident_id(1)), travel_permit(1)))
    first = await accepted(node, distinguish(travel_permit(1)))
    permit = travel_permit(1)["number"]

    async def links(number, kind, version):
        asked = document_of(number, kind)
        return sorted(link.listing.id for link in (await standing_then(node, asked, version)).links)

    assert await links(permit, "hk_macao_permit", first) == ["listing-9"]
    assert await links(permit, "hk_macao_permit", first - 1) == ["listing-1", "listing-9"]
    assert await links(resident_id(1), "resident_id", first) == ["listing-1", "listing-9"]
    await accepted(node, distinguish(travel_permit(1), listing=9))
    flight = check_of(permit, kind="hk_macao_permit")
    assert await outcomes(node, [flight, check_of(resident_id(1))]) == ["allow", "deny"]


async def test_a_distinction_names_a_known_listing_and_a_whole_document(node):
    await publish(node, [person_listing(1)])
    report = await apply(
        node,
        distinguish(document(NAMESAKE), listing=77),
        undistinguish(document(NAMESAKE), listing=77),
        distinguish(document(f"{NAMESAKE[:10]}****{NAMESAKE[14:]}")),
        distinguish(document("NET1", "net_id")),
        distinguish(document(NAMESAKE), on="2027-01-01"),
        distinguish(document(NAMESAKE) | {"issuer": "CHN"}),
    )
    codes = [each.code.value for each in report.rejected]
    assert codes == ["unknown-listing"] * 2 + ["invalid-document"] * 2 + [
        "in-the-future",
        "invalid-document",
    ]


async def held_up(node, *checks):
    decided = await decide(node, *checks, account_id=SELLER)
    return decided.ids


async def lifted(node):
    """Return the decisions of the endings so far, by their ground."""
    while await node.notices.writer.step("first") is not None:
        pass
    rows = await query(node, "SELECT event FROM notice ORDER BY pk")
    events = [msgspec.json.decode(row.event)["data"] for row in rows]
    return [(each["ground"], each["decision_ids"]) for each in events]


async def test_who_held_the_namesake_up_is_notified_and_nobody_else(node):
    await listed_for_correction(node)
    await publish(node, [masked(1), *(person_listing(index) for index in (2, 3, 4))])
    [innocent] = await held_up(node, check_of(NAMESAKE, name_of(1)))
    await accepted(node, distinguish(document(NAMESAKE)))
    assert await lifted(node) == [("distinguished", [innocent])]
    await accepted(node, distinguish(document(NAMESAKE), on="2026-11-21"))
    assert await lifted(node) == [("distinguished", [innocent])]


@pytest.mark.parametrize("ground", [GroundCode.NAMESAKE, GroundCode.IMPOSTOR])
async def test_an_upheld_ruling_distinguishes_the_document_of_the_decision(node, ground):
    await listed_for_correction(node)
    await accepted(node, bind(document(resident_id(1)), travel_permit(1)))
    permit = check_of(travel_permit(1)["number"], kind="hk_macao_permit")
    await held_up(node, permit)
    held = await refused(node, 1)
    filed = await node.corrections.file(about(decision_id=held, ground_code=ground))
    ruled = await rule(node, filed)
    assert (ruled.effect, ruled.listings[0].delisted) == (RulingEffect.DISTINGUISH, False)
    assert await outcome_of(node, 1) == "allow"
    assert await outcomes(node, [permit]) == ["deny"]
    assert await lifted(node) == [("distinguished", [held])]
    with pytest.raises(Conflict):
        await rule(node, filed)


async def test_a_ruling_without_a_known_document_must_name_its_effect(node):
    await listed_for_correction(node)
    filed = await node.corrections.file(about(1, ground_code=GroundCode.NAMESAKE))
    for effect in (None, RulingEffect.DISTINGUISH, RulingEffect.REMOVE_OFFICER):
        with pytest.raises(InvalidRequest) as refusal:
            await rule(node, filed, effect=effect)
        assert refusal.value.faults[0].pointer == "/effect"
    assert await outcome_of(node, 1) == "deny"
    ruled = await rule(node, filed, effect=RulingEffect.DELIST)
    assert ruled.listings[0].delisted
    assert await outcome_of(node, 1) == "allow"
    nothing = await node.corrections.file(about(2))
    assert (await rule(node, nothing, effect=RulingEffect.NONE)).version is None
    assert await outcome_of(node, 2) == "deny"
    rejected = await node.corrections.file(about(3, ground_code=GroundCode.OTHER, sees_all=True))
    assert (await rule(node, rejected, Ruling.REJECTED)).effect is None


async def test_an_officer_who_has_left_leaves_the_set_and_the_others_stay(node):
    await listed_for_correction(node)
    company = company_listing(7, ("principal", 8), ("legal_representative", 9))
    await accepted(node, list_(company))
    await accepted(node, bind(document(resident_id(8)), travel_permit(8)))
    held = (await held_up(node, check_of(travel_permit(8)["number"], kind="hk_macao_permit")))[0]
    filed = await node.corrections.file(about(decision_id=held, ground_code=GroundCode.LEFT_OFFICE))
    ruled = await rule(node, filed)
    assert ruled.effect is RulingEffect.REMOVE_OFFICER
    assert [await outcome_of(node, index) for index in (8, 9)] == ["allow", "deny"]
    assert await lifted(node) == [("officer_left", [held])]
    debtor = await refused(node, 1)
    filed = await node.corrections.file(
        about(decision_id=debtor, ground_code=GroundCode.LEFT_OFFICE)
    )
    with pytest.raises(Conflict):
        await rule(node, filed)
    assert await outcome_of(node, 1) == "deny"
