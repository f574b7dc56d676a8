"""An institution that received a restriction is notified when a change ends it; no other is."""

import pytest

from checker.domain.service import Lodging, Rail, Seat
from tests.integration.notices.notice_grounds import granted, lifted
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
)
from tests.support.registry_grounds import (
    check_of,
    company_listing,
    document,
    name_of,
    person_listing,
    query,
    resident_id,
)

pytestmark = pytest.mark.anyio

AT = "2026-11-23T01:02:03.456Z"
AIR, LODGING = "cn-2016-64/2.7.1", "cn-2016-64/2.7.2"


def officer(role, index, **more):
    return {
        "role": role,
        "name": name_of(index),
        "documents": [document(resident_id(index))],
    } | more


async def test_a_delisting_is_told_to_whoever_was_told_of_the_listing(town):
    await town.publish(person_listing(1), person_listing(2))
    first, second = [await town.refused("hotel", 1) for _ in range(2)]
    other = await town.refused("airline", 1)
    await town.refused("school", 2)
    await town.ask("resort", 9)
    await town.do(delist(1, "settled", on="2026-11-22"))
    assert await town.told("hotel") == [
        lifted("listing-1", [first, second], "settled", ended_on="2026-11-22")
    ]
    assert await town.told("airline") == [
        lifted("listing-1", [other], "settled", ended_on="2026-11-22")
    ]
    assert await town.told("school") == await town.told("resort") == []


async def test_an_event_is_a_cloud_event_without_number_and_name(town):
    await town.publish(person_listing(1))
    decision_id = await town.refused("hotel", 1)
    await town.do(delist(1))
    await town.tell()
    [event] = await town.events("hotel")
    assert event.pop("id") != decision_id
    assert event == {
        "specversion": "1.0",
        "source": "/v1/notices",
        "type": "restriction.lifted",
        "time": AT,
        "datacontenttype": "application/json",
        "data": lifted("listing-1", [decision_id], "fulfilled", ended_on="2026-11-23"),
    }
    [row] = await query(town.node, "SELECT * FROM notice")
    assert not [mark for mark in (resident_id(1), name_of(1)) if mark in repr(row)]


async def test_what_a_snapshot_no_longer_holds_is_told(town):
    await town.publish(person_listing(1), person_listing(2))
    decision_id = await town.refused("hotel", 1)
    await town.refused("hotel", 2)
    await town.publish(person_listing(2))
    assert await town.told("hotel") == [lifted("listing-1", [decision_id], "removed", ended_at=AT)]


async def test_a_snapshot_that_holds_a_listing_still_or_otherwise_ends_nothing(town):
    await town.publish(person_listing(1), person_listing(2))
    await town.refused("hotel", 1)
    await town.refused("hotel", 2)
    await town.publish(person_listing(1), person_listing(2, case_number="（2026）粤0882执99号"))
    assert await town.told("hotel") == []


async def test_a_review_and_a_name_that_differs_are_told_of_too(town):
    await town.publish(person_listing(1))
    decision_id = await town.refused("hotel", 1, check=check_of(resident_id(1), name_of(7)))
    await town.do(delist(1))
    [told] = await town.told("hotel")
    assert told["decision_ids"] == [decision_id]


async def test_an_ending_is_told_once_however_often_it_is_looked_for(town):
    await town.publish(person_listing(1))
    await town.refused("hotel", 1)
    await town.do(delist(1))
    assert len(await town.told("hotel")) == 1
    await town.do(delist(1))
    for _ in range(2):
        assert await town.told("hotel") == []


async def test_a_listing_that_began_anew_is_told_of_by_what_was_decided_since(town):
    await town.publish(person_listing(1))
    await town.refused("hotel", 1)
    await town.refused("airline", 1)
    await town.do(delist(1))
    await town.do(list_(person_listing(1)))
    since = await town.refused("hotel", 1)
    await town.do(delist(1, "corrected"))
    told = await town.told("hotel")
    assert [each["ground"] for each in told] == ["fulfilled", "corrected"]
    assert told[1]["decision_ids"] == [since]
    assert [each["ground"] for each in await town.told("airline")] == ["fulfilled"]


async def test_a_shielding_is_told_and_the_end_after_it_too(town):
    await town.publish(person_listing(1))
    first = await town.refused("hotel", 1)
    await town.do(shield(1))
    assert await town.told("hotel") == [lifted("listing-1", [first], "shielded", ended_at=AT)]
    await town.do(unshield(1))
    second = await town.refused("hotel", 1)
    await town.do(delist(1, "terminated"))
    [told] = await town.told("hotel")
    assert (told["ground"], told["decision_ids"]) == ("terminated", [first, second])


async def test_a_fulfilment_ends_nothing_by_itself(town):
    await town.publish(person_listing(1))
    await town.refused("hotel", 1)
    await town.do(fulfil(1, on="2026-11-23"))
    town.clock.move(days=10)
    assert await town.told("hotel") == []


async def test_an_officer_who_left_is_told_to_whoever_was_told_of_that_role(town):
    await town.publish(company_listing(1, ("principal", 4), ("legal_representative", 5)))
    of_principal = await town.refused("hotel", 4)
    await town.refused("hotel", 5)
    await town.refused("airline", 5)
    await town.do(officers(1, [officer("legal_representative", 5)]))
    assert await town.told("hotel") == [
        lifted("listing-1", [of_principal], "officer_left", ended_at=AT)
    ]
    assert await town.told("airline") == []


async def test_a_snapshot_without_an_officer_tells_of_it_as_the_operation_does(town):
    await town.publish(company_listing(1, ("principal", 4), ("legal_representative", 5)))
    of_principal = await town.refused("hotel", 4)
    await town.publish(company_listing(1, ("legal_representative", 5)))
    [told] = await town.told("hotel")
    assert (told["ground"], told["decision_ids"]) == ("officer_left", [of_principal])


@pytest.mark.parametrize(
    "now",
    [
        [officer("actual_controller", 4)],
        [officer("principal", 4, name=name_of(8))],
        [officer("principal", 4, documents=[passport(4), document(resident_id(4))])],
    ],
    ids=["another role", "another name", "one more document"],
)
async def test_an_officer_who_is_still_there_has_not_left(town, now):
    await town.publish(company_listing(1, ("principal", 4)))
    await town.refused("hotel", 4)
    await town.do(officers(1, now))
    assert await town.told("hotel") == []


async def test_an_officer_known_by_another_document_of_theirs_has_not_left(town):
    await town.publish(company_listing(1, ("principal", 4)))
    await town.refused("hotel", 4)
    await town.do(bind(document(resident_id(4)), passport(4)))
    await town.do(officers(1, [officer("principal", 4, documents=[passport(4)])]))
    assert await town.told("hotel") == []


async def test_a_masked_number_that_became_whole_frees_nobody(town):
    number = resident_id(1)
    masked = document(number[:10] + "****" + number[14:])
    party = {"type": "person", "name": name_of(1), "documents": [masked]}
    await town.publish(person_listing(1, party=party))
    await town.refused("hotel", 1)
    await town.do(list_(person_listing(1)))
    assert await town.told("hotel") == []


async def test_whoever_was_listed_by_another_number_is_told_to_be_free(town):
    await town.publish(person_listing(1))
    decision_id = await town.refused("hotel", 1)
    party = {"type": "person", "name": name_of(1), "documents": [document(resident_id(6))]}
    await town.do(list_(person_listing(1, party=party)))
    assert await town.told("hotel") == [
        lifted("listing-1", [decision_id], "party_replaced", ended_at=AT)
    ]


async def test_a_permit_is_told_for_its_services_to_whoever_was_told_of_its_holder(town):
    await town.publish(person_listing(1), company_listing(3, ("principal", 1), ("principal", 4)))
    by_air = await town.refused("airline", 1)
    await town.refused("airline", 1, service=Rail(train="G79", seat=Seat.SECOND))
    await town.do(permit())
    await town.tell()
    await town.tell_again()
    events = await town.events("airline")
    assert [each["data"] for each in events] == [
        granted("listing-1", [by_air], at=AT),
        granted("listing-3", [by_air], at=AT),
    ]
    assert {each["type"] for each in events} == {"permit.granted"}
    await town.ask("airline", 1)
    await town.do(permit("permit-2", index=1))
    again = await town.told("airline")
    assert [each["decision_ids"] for each in again] == [[by_air], [by_air]]


async def test_what_a_court_keeps_is_told_when_that_is_over(town):
    await town.publish(person_listing(1))
    flight = await town.refused("hotel", 1)
    room = await town.refused("hotel", 1, service=Lodging(star_rating=4))
    await town.do(retain(1, LODGING, until="2026-12-01"), delist(1))
    [told] = await town.told("hotel")
    assert told["decision_ids"] == [flight]
    kept = await town.refused("hotel", 1, service=Lodging(star_rating=4))
    town.clock.move(days=10)
    assert await town.told("hotel") == [
        lifted("listing-1", [room, kept], "retention_over", ended_on="2026-12-01")
    ]


async def test_a_listing_that_is_not_public_is_not_named(town):
    await town.publish(person_listing(1, public=False))
    hidden = await town.refused("hotel", 1)
    await town.do(list_(person_listing(1, public=True)))
    shown = await town.refused("hotel", 1)
    await town.do(delist(1))
    assert [(each["listing_id"], each["decision_ids"]) for each in await town.told("hotel")] == [
        ("listing-1", [shown]),
        (None, [hidden]),
    ]


async def test_many_decisions_are_told_by_several_events(town):
    await town.publish(person_listing(1))
    decision_id = await town.refused("hotel", 1)
    await town.do(delist(1))
    async with town.node.work_engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO decision SELECT gen_random_uuid(), at, account_id, service, jurisdiction,"
            " outcome, reasons, permit_id, list_version, listings, policy"
            " FROM decision, generate_series(1, 1000)"
        )
    told = await town.told("hotel")
    assert [len(each["decision_ids"]) for each in told] == [500, 500, 1]
    ids = [each for event in told for each in event["decision_ids"]]
    assert len(set(ids)) == 1001
    assert decision_id in ids


async def test_a_decision_that_was_kept_late_is_told_by_the_second_pass(town):
    await town.publish(person_listing(1))
    await town.refused("hotel", 1)
    await town.do(delist(1))
    await town.tell()
    assert len(await town.events("hotel")) == 1
    # It had read the list before the delisting, and was committed after that had been told of.
    async with town.node.work_engine.begin() as connection:
        [[late]] = await connection.exec_driver_sql(
            "INSERT INTO decision SELECT gen_random_uuid(), at, account_id, service, jurisdiction,"
            " outcome, reasons, permit_id, list_version, listings, policy FROM decision"
            " RETURNING id"
        )
    await town.tell()
    assert await town.events("hotel") == []
    await town.tell_again()
    [event] = await town.events("hotel")
    assert event["data"]["decision_ids"] == [str(late)]
