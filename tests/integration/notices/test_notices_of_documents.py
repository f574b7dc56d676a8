"""A notice is about the documents that a decision held up, and about nobody else's."""

import msgspec
import pytest

from checker.domain.document import Document, DocumentType
from checker.domain.service import Lodging
from tests.integration.notices.notice_grounds import granted, lifted
from tests.support.operation_lines import bind, list_, passport, permit, withdraw
from tests.support.registry_grounds import (
    check_of,
    company_listing,
    document,
    name_of,
    person_listing,
    resident_id,
)

pytestmark = pytest.mark.anyio

AT = "2026-11-23T01:02:03.456Z"
FOREIGN = "X1234567"


def listed_passport(index, number=FOREIGN, issuer=None, **changes):
    """A listing of a person by a passport."""
    shown = {} if issuer is None else {"issuer": issuer}
    documents = [document(number, "passport") | shown]
    party = {"type": "person", "name": name_of(1), "documents": documents}
    return person_listing(index, party=party, **changes)


def check_passport(number=FOREIGN, issuer=None, name=None):
    asked = Document(type=DocumentType.PASSPORT, number=number, issuer=issuer or msgspec.UNSET)
    check = check_of(number, name, "passport")
    return msgspec.structs.replace(
        check, subject=msgspec.structs.replace(check.subject, document=asked)
    )


async def refused(town, number=FOREIGN, issuer=None, name=None):
    return await town.refused("airline", 0, check=check_passport(number, issuer, name))


def the_passport(index=1):
    return passport(index)["number"]


async def own_passport_listed(town):
    """List a person under two documents, which nobody has bound together."""
    await town.publish(person_listing(1), listed_passport(2, number=the_passport()))


async def test_a_permit_is_told_for_a_document_that_is_bound_later(town):
    await own_passport_listed(town)
    by_card, by_passport = await town.refused("airline", 1), await refused(town, the_passport())
    await town.do(permit())
    assert await town.told("airline") == [granted("listing-1", [by_card], at=AT)]
    town.clock.move(seconds=1)
    await town.do(bind(document(resident_id(1)), passport(1)))
    [told] = await town.told("airline")
    assert told == granted("listing-2", [by_passport], at="2026-11-23T01:02:04.456Z")


async def test_a_document_bound_in_three_steps_is_told_once(town):
    await own_passport_listed(town)
    by_passport = await refused(town, the_passport())
    await town.do(permit(), bind(document(resident_id(1)), passport(8)))
    await town.do(bind(passport(8), passport(1)), bind(passport(1), passport(9)))
    assert [each["decision_ids"] for each in await town.told("airline")] == [[by_passport]]
    await town.do(bind(passport(9), passport(10)))
    assert await town.told("airline") == []


async def test_a_permit_that_is_used_up_or_withdrawn_is_not_told_for_a_bound_document(town):
    await own_passport_listed(town)
    await town.do(permit(uses=1), permit("permit-2"), withdraw("permit-2"))
    assert (await town.ask("airline", 1))[1] == "allow"
    again = await town.refused("airline", 1)
    by_passport = await refused(town, the_passport())
    assert await town.told("airline") == []
    await town.do(bind(document(resident_id(1)), passport(1)))
    assert await town.told("airline") == []
    await town.do(permit("permit-3"))
    told = await town.told("airline")
    assert {each for one in told for each in one["decision_ids"]} == {again, by_passport}


async def test_a_permit_that_begins_later_is_told_for_all_documents_that_are_bound_by_then(town):
    await own_passport_listed(town)
    by_passport = await refused(town, the_passport())
    await town.do(permit(valid_from="2026-11-24"))
    await town.do(bind(document(resident_id(1)), passport(1)))
    assert await town.told("airline") == []
    town.clock.move(days=1)
    [told] = await town.told("airline")
    assert told == granted("listing-2", [by_passport], at="2026-11-23T16:00:00.000Z")


async def test_a_permit_of_one_officer_is_not_told_about_another(town):
    await town.publish(company_listing(3, ("principal", 1), ("principal", 4)))
    decision_id = await town.refused("airline", 1)
    await town.refused("airline", 4)
    await town.do(permit())
    assert await town.told("airline") == [granted("listing-3", [decision_id], at=AT)]


async def test_a_permit_is_told_for_the_passport_of_its_state_alone(town):
    await town.publish(listed_passport(1, issuer="FRA"), listed_passport(2, issuer="USA"))
    french, _ = await refused(town, issuer="FRA"), await refused(town, issuer="USA")
    unknown = await refused(town, name=name_of(1))
    french_passport = document(FOREIGN, "passport") | {"issuer": "FRA"}
    await town.do(permit(document=french_passport))
    assert await town.told("airline") == [granted("listing-1", [french, unknown], at=AT)]
    town.clock.move(seconds=1)
    await town.do(bind(french_passport, document(resident_id(5))), permit("permit-2", index=5))
    [told] = await town.told("airline")
    assert (told["listing_id"], told["permit_id"]) == ("listing-1", "permit-2")
    assert told["decision_ids"] == [french, unknown]


async def test_a_party_of_another_state_under_the_same_number_is_another_party(town):
    await town.publish(listed_passport(1, issuer="FRA"))
    decision_id = await refused(town, issuer="FRA")
    await town.do(list_(listed_passport(1, issuer="FRA", case_number="（2026）粤0882执9号")))
    await town.do(list_(listed_passport(1)))
    assert await town.told("airline") == []
    await town.do(list_(listed_passport(1, issuer="FRA")))
    await town.do(list_(listed_passport(1, issuer="USA")))
    assert await town.told("airline") == [
        lifted("listing-1", [decision_id], "party_replaced", ended_at=AT)
    ]


async def test_an_order_that_restricts_fewer_services_is_told_for_the_others(town):
    def order(*items, **more):
        restricts = {"items": list(items)} if items else {}
        return list_(person_listing(1, kind="consumption_order", **restricts, **more))

    await town.publish(person_listing(9))
    await town.do(order())
    flight = await town.refused("airline", 1)
    room = await town.refused("hotel", 1, service=Lodging(star_rating=4))
    await town.do(order("air", "rail"))
    [told] = await town.told("hotel")
    assert (told["ground"], told["decision_ids"]) == ("items_dropped", [room])
    assert "lodging" in told["services"]
    assert not {"air", "rail"} & set(told["services"])
    assert await town.told("airline") == []
    await town.do(order("air"), order("air", "lodging"))
    assert await town.told("airline") == []
    await town.do(order("lodging"))
    assert await town.told("airline") == [
        lifted("listing-1", [flight], "items_dropped", ended_at=AT, services=["air"])
    ]
    assert await town.told("hotel") == []
