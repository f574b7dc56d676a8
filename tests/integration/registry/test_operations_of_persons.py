"""Documents that are one person's, and permits: what they do to checks, and to the past."""

import asyncio
from datetime import timedelta

import pytest

from checker.domain.service import Lodging, Rail
from checker.domain.service_terms import Seat
from tests.support.operation_lines import (
    bind,
    delist,
    list_,
    officers,
    passport,
    permit,
    shield,
    travel_permit,
    withdraw,
)
from tests.support.registry_grounds import (
    AT,
    accepted,
    apply,
    check_of,
    company_listing,
    decide,
    decision_of,
    document,
    document_of,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
    standing_then,
    uscc,
)

pytestmark = pytest.mark.anyio

TRAIN = Rail(train="G79", seat=Seat.SECOND)
FLIGHT = check_of(resident_id(1))


@pytest.fixture
async def listed(node):
    await publish(node, [person_listing(1), company_listing(3, ("principal", 4))])
    return await settled(node)


def asking(*documents, **options):
    return [check_of(each["number"], kind=each["type"], **options) for each in documents]


async def told(node, *checks):
    """What is answered at once, and again when the node answers from what it holds itself."""
    at_once = await outcomes(node, checks)
    await settled(node)
    assert await outcomes(node, checks) == at_once
    return at_once


async def links_then(node, each, version):
    standing = await standing_then(node, document_of(each["number"], each["type"]), version)
    return [link.role.value for link in standing.links]


@pytest.mark.parametrize("listed_by", [0, 1, 2])
@pytest.mark.parametrize("listed_first", [True, False])
async def test_documents_bound_in_two_steps_are_one_person_in_every_direction(
    node, listed_by, listed_first
):
    documents = [document(resident_id(1)), passport(1), travel_permit(1)]
    listing = person_listing(1)
    listing["party"]["documents"] = [documents[listed_by]]
    operations = [
        list_(listing),
        list_(person_listing(2)),
        bind(documents[0], documents[1]),
        bind(documents[1], documents[2]),
    ]
    if not listed_first:
        operations = [*operations[2:], *operations[:2]]
    for operation in operations:
        await accepted(node, operation)
    assert await told(node, *asking(*documents, passport(2))) == ["deny"] * 3 + ["allow"]
    await accepted(node, shield(1))
    assert await told(node, *asking(*documents)) == ["allow"] * 3


async def test_two_persons_who_turn_out_to_be_one_share_all_their_documents(listed):
    await accepted(listed, bind(document(resident_id(1)), passport(1)))
    await accepted(listed, bind(document(resident_id(4)), passport(4)))
    apart = await accepted(listed, list_(person_listing(9)))
    one = await accepted(listed, bind(passport(1), passport(4)))
    roles = [await links_then(listed, passport(1), version) for version in (1, apart, one)]
    assert [sorted(each) for each in roles] == [[], ["debtor"], ["debtor", "principal"]]
    assert await told(listed, *asking(passport(1), passport(4))) == ["deny", "deny"]
    await accepted(listed, delist(1))
    assert await told(listed, *asking(document(resident_id(1)), passport(1))) == ["deny", "deny"]
    await accepted(listed, officers(3, []))
    assert await told(listed, *asking(document(resident_id(1)), passport(4))) == ["allow"] * 2


async def test_an_officer_is_reached_by_each_document_and_free_by_all_when_he_left(listed):
    await accepted(listed, bind(document(resident_id(4)), passport(4)))
    assert await told(listed, *asking(passport(4))) == ["deny"]
    await accepted(listed, officers(3, []))
    assert await told(listed, *asking(passport(4), document(resident_id(4)))) == ["allow"] * 2


async def test_a_binding_outlives_a_snapshot(listed):
    await accepted(listed, bind(document(resident_id(1)), passport(1)))
    await publish(listed, [person_listing(1, case_number="（2026）粤0882执9号")])
    assert await told(listed, *asking(passport(1))) == ["deny"]


async def test_a_company_is_found_by_either_number_and_needs_no_binding(listed):
    code = document(uscc(3)[8:17], "org_code")
    version = await accepted(listed, bind(document(uscc(3), "uscc"), code))
    assert version == 1
    assert await told(listed, *asking(document(uscc(3), "uscc"), code)) == ["deny", "deny"]


async def test_a_persons_document_cannot_be_bound_to_a_companys(listed):
    report = await apply(listed, bind(passport(1), document(uscc(3), "uscc")))
    assert [line.code for line in report.rejected] == ["invalid-operation"]
    assert await told(listed, *asking(passport(1))) == ["allow"]


async def test_a_number_shown_in_part_reaches_no_document_bound_to_it(node):
    hidden = person_listing(1)
    number = resident_id(1)
    hidden["party"]["documents"] = [document(number[:10] + "****" + number[14:])]
    await accepted(node, list_(hidden), bind(document(number), passport(1)))
    name = hidden["party"]["name"]
    checks = [check_of(number, name), *asking(passport(1), name=name)]
    assert await told(node, *checks) == ["review", "allow"]


async def test_more_documents_than_anybody_has_are_not_one_person(node):
    chain = [bind(passport(index), passport(index + 1)) for index in range(200)]
    report = await apply(node, *chain)
    assert [(line.line, line.code) for line in report.rejected] == [(200, "invalid-operation")]
    await accepted(node, list_(person_listing(1)), bind(passport(500), document(resident_id(1))))
    listing = person_listing(2)
    listing["party"]["documents"] = [passport(0)]
    await accepted(node, list_(listing))
    asked = asking(passport(199), passport(200), passport(500))
    assert await told(node, *asked) == ["deny", "allow", "deny"]


async def test_a_permit_outlives_a_snapshot(listed):
    await accepted(listed, permit())
    await publish(listed, [person_listing(1), person_listing(2)])
    assert await told(listed, FLIGHT) == ["allow"]


async def test_a_permit_lifts_its_services_for_its_time_and_says_so(listed, clock):
    terms = {"valid_from": "2026-11-24", "valid_until": "2026-11-25T12:00:00+08:00"}
    await accepted(listed, permit(services=["air", "lodging"], **terms))
    answers = []
    for hours in (14, 15, 38, 50, 51):  # it is 09:02 in Shanghai
        clock.instant = AT + timedelta(hours=hours)
        answers += await told(listed, FLIGHT)
    assert answers == ["deny", "allow", "allow", "allow", "deny"]
    clock.instant = AT + timedelta(hours=20)
    decision = await decision_of(listed, FLIGHT)
    assert (decision.permit.id, [reason.code.value for reason in decision.reasons]) == (
        "permit-1",
        ["restricted"],
    )
    hotel, train = (check_of(resident_id(1), service=s) for s in (Lodging(star_rating=5), TRAIN))
    assert await told(listed, hotel, train) == ["allow", "deny"]


async def test_a_permit_is_the_persons_whatever_document_it_names(listed):
    await accepted(listed, permit(document=passport(1)))
    assert await told(listed, FLIGHT) == ["deny"]
    await accepted(listed, bind(document(resident_id(1)), passport(1)))
    assert await told(listed, FLIGHT, *asking(passport(1))) == ["allow", "allow"]


async def test_a_withdrawn_permit_lifts_nothing_and_never_comes_back(listed):
    granted = await accepted(listed, permit())
    assert await told(listed, FLIGHT) == ["allow"]
    withdrawn = await accepted(listed, withdraw())
    assert await told(listed, FLIGHT) == ["deny"]
    assert await accepted(listed, permit()) == withdrawn
    assert await told(listed, FLIGHT) == ["deny"]
    history = [
        (await standing_then(listed, FLIGHT.document, version)).permits
        for version in (1, granted, withdrawn)
    ]
    assert [[each.id for each in permits] for permits in history] == [[], ["permit-1"], []]


async def test_a_permit_that_was_withdrawn_with_its_granting_stays_withdrawn(listed):
    await accepted(listed, permit(), withdraw())
    await accepted(listed, permit())
    assert await told(listed, FLIGHT) == ["deny"]


async def test_a_counted_permit_lifts_as_many_sales_as_the_court_allowed(listed, clock):
    version = await accepted(listed, permit(uses=2))
    left, used_at = [], []
    for _ in range(3):
        clock.move(minutes=1)
        used_at.append(clock.instant)
        decision = await decision_of(listed, FLIGHT)
        left.append(None if decision.permit is None else decision.permit.uses_left)
    assert left == [2, 1, None]
    past = [
        await standing_then(listed, FLIGHT.document, version, used_until=until)
        for until in (AT, *used_at)
    ]
    assert [standing.permits[0].uses_left for standing in past] == [2, 1, 0, 0]


async def test_what_is_allowed_anyway_uses_no_permit(listed):
    await accepted(listed, permit(uses=1, services=["air", "rail"]))
    slow = check_of(resident_id(1), service=Rail(train="K511", seat=Seat.HARD_SEAT))
    assert await told(listed, slow) == ["allow"]
    assert (await decision_of(listed, FLIGHT)).permit.uses_left == 1
    assert await told(listed, FLIGHT) == ["deny"]


async def test_the_same_sale_asked_about_again_uses_a_permit_once(listed):
    await accepted(listed, permit(uses=1))
    sale, other = (check_of(resident_id(1), reference=name) for name in ("ORDER-1", "ORDER-2"))
    assert await outcomes(listed, [sale]) == ["allow"]
    assert await told(listed, sale, other, sale) == ["allow", "deny", "allow"]
    [[uses]] = await query(listed, "SELECT count(*) FROM permit_use")
    assert uses == 1


async def test_a_batch_shares_out_what_is_left_in_its_order(listed):
    await accepted(listed, permit(uses=2))
    assert await outcomes(listed, [FLIGHT] * 4) == ["allow", "allow", "deny", "deny"]


async def test_the_last_use_goes_to_one_of_all_who_ask_at_once_on_two_nodes(listed, other_node):
    await accepted(listed, permit(uses=3))
    await settled(other_node)
    asked = [decide(node, FLIGHT) for _ in range(6) for node in (listed, other_node)]
    decided = await asyncio.gather(*asked)
    told_each = sorted(each.decisions[0].outcome.value for each in decided)
    assert told_each == ["allow"] * 3 + ["deny"] * 9
    [[uses]] = await query(listed, "SELECT count(*) FROM permit_use")
    assert uses == 3


async def test_a_permit_that_another_court_gave_the_same_id_is_rejected(listed):
    await accepted(listed, permit(valid_until="2026-11-24"))
    report = await apply(listed, permit(valid_until="2026-12-24"), withdraw("permit-2"))
    assert [line.code for line in report.rejected] == ["id-taken", "unknown-permit"]
    assert report.accepted == 0
