"""Permits as a feed grants them: their ids, their kinds, and everything that they cover."""

import pytest

from checker.domain.permit import PermitKind
from tests.support.operation_lines import bind, list_, permit
from tests.support.registry_grounds import (
    accepted,
    apply,
    check_of,
    company_listing,
    decision_of,
    document,
    name_of,
    outcomes,
    person_listing,
    publish,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio
FLIGHT = check_of(resident_id(1))


@pytest.fixture
async def listed(node):
    await publish(node, [person_listing(1)])
    return await settled(node)


async def test_of_two_permits_of_one_id_in_one_file_the_first_stands(listed):
    report = await apply(listed, permit(), permit(services=["rail"]), permit())
    assert [(line.line, line.code) for line in report.rejected] == [(2, "id-taken")]
    assert await outcomes(listed, [FLIGHT]) == ["allow"]
    again = await apply(listed, permit(kind="necessity"), permit())
    assert [(line.line, line.code) for line in again.rejected] == [(1, "id-taken")]


async def test_a_permit_keeps_its_kind(listed):
    await accepted(listed, permit(kind="private_funds"))
    decision = await decision_of(listed, FLIGHT)
    assert decision.permit.kind is PermitKind.PRIVATE_FUNDS
    report = await apply(listed, permit(kind="private_funds"))
    assert report.rejected == ()


async def test_a_permit_covers_all_bound_documents_all_listings_and_is_counted_once_for_all(listed):
    second, third = document("P12345671", "passport"), document("P12345672", "passport")
    masked = resident_id(1)[:10] + "****" + resident_id(1)[14:]
    party = {"type": "person", "name": name_of(1), "documents": [second]}
    hidden = {"type": "person", "name": name_of(1), "documents": [document(masked)]}
    head = [{"role": "principal", "name": name_of(1), "documents": [third]}]
    await accepted(
        listed,
        list_(person_listing(11, party=party)),
        list_(person_listing(13, party=hidden)),
        list_(company_listing(12, officers=head)),
        bind(second, document(resident_id(1))),
        bind(third, second),
        permit(document=third, uses=2),
    )
    named = []
    for each in (second, third):
        check = asking(each, reference="ORDER-1")
        decision = await decision_of(listed, check)
        assert decision.permit.uses_left == 2, "one order, whatever document"
        named.append({reason.listing.id for reason in decision.reasons})
    assert named == [{"listing-1", "listing-11", "listing-12"}] * 2
    decision = await decision_of(listed, check_of(resident_id(1), name_of(1)))
    assert decision.permit.uses_left == 1
    assert "listing-13" in {reason.listing.id for reason in decision.reasons}
    assert await outcomes(listed, [asking(each) for each in (second, third)]) == ["deny"] * 2


def asking(one, **options):
    return check_of(one["number"], kind=one["type"], **options)
