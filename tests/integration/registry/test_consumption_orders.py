"""Orders restricting consumption beside entries of the list: each lives and ends apart."""

from datetime import timedelta

import pytest

from checker.domain.listing_kind import ListingKind
from checker.domain.service import DomesticTour, Lodging, OfficeLease, Ship
from checker.domain.service_terms import DomesticProduct, NationalGrade, Premises, ShipClass
from tests.integration.registry.operation_effects import roles_then
from tests.support.operation_lines import delist, list_, officers, retain
from tests.support.registry_grounds import (
    AT,
    accepted,
    apply,
    check_of,
    company_listing,
    decision_of,
    name_of,
    person_listing,
    publish,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio

ORDER = {"kind": "consumption_order"}
BY_ENTRY, BY_ORDER = "cn-2016-64/2.7.1", "cn-spc-2015-17/3.1"
# A service that the entry alone restricts, and services that the order alone restricts.
GRADED = Lodging(star_rating=0, national_grade=NationalGrade.FIRST)
CABIN = Ship(ship_class=ShipClass.SECOND)
HOLIDAY = DomesticTour(product=DomesticProduct.HOLIDAY_PACKAGE)
LEASE = OfficeLease(premises=Premises.HOTEL, high_grade=True)


def order(index, **more):
    return person_listing(index, id=f"listing-{index}0", **ORDER, **more)


async def outcomes(node, index, *services):
    """Return the outcome for each service; None: a flight."""
    asked = [check_of(resident_id(index), name_of(index), service=each) for each in services]
    return [(await decision_of(node, each)).outcome.value for each in asked]


async def measures(node, index, service=None):
    decision = await decision_of(
        node, check_of(resident_id(index), name_of(index), service=service)
    )
    return [(reason.measure, reason.listing.kind) for reason in decision.reasons]


@pytest.fixture
async def listed(node):
    """A person with an entry, one with an order, and one with both."""
    entries = [person_listing(1), person_listing(3)]
    await publish(node, [*entries, order(2), order(3)])
    return await settled(node)


async def test_an_entry_and_an_order_restrict_what_their_own_documents_name(listed):
    for _ in ("at once", "by its own copy"):
        asked = (GRADED, CABIN, HOLIDAY, LEASE, None)
        assert await outcomes(listed, 1, *asked) == ["deny", "allow", "allow", "allow", "deny"]
        assert await outcomes(listed, 2, *asked) == ["allow", "deny", "deny", "deny", "deny"]
        assert await outcomes(listed, 3, *asked) == ["deny"] * 5
        await settled(listed)
    assert await measures(listed, 3) == [
        (BY_ENTRY, ListingKind.DISHONEST),
        (BY_ORDER, ListingKind.CONSUMPTION_ORDER),
    ]


@pytest.mark.parametrize(
    ("ended", "left"), [(3, (BY_ORDER, "consumption_order")), (30, (BY_ENTRY, "dishonest"))]
)
async def test_the_end_of_one_leaves_the_other(listed, ended, left):
    await accepted(listed, delist(ended))
    assert await measures(listed, 3) == [left]
    await settled(listed)
    assert await measures(listed, 3) == [left]
    await accepted(listed, delist(33 - ended))
    assert await outcomes(listed, 3, None, CABIN, GRADED) == ["allow"] * 3


async def test_a_snapshot_ends_each_apart_too(listed):
    await publish(listed, [person_listing(1), order(2), order(3)])
    assert await measures(listed, 3) == [(BY_ORDER, "consumption_order")]
    await publish(listed, [person_listing(1), order(2), person_listing(3)])
    assert await measures(listed, 3) == [(BY_ENTRY, "dishonest")]


async def test_an_order_under_the_id_of_an_entry_is_rejected_and_ends_nothing(listed):
    for line in (person_listing(1, **ORDER), order(2) | {"kind": "dishonest"}):
        report = await apply(listed, list_(line))
        assert [(one.line, one.code) for one in report.rejected] == [(1, "id-taken")]
    assert await outcomes(listed, 1, None, CABIN) == ["deny", "allow"]
    assert await outcomes(listed, 2, None, CABIN) == ["deny", "deny"]


async def test_an_order_on_items_restricts_these_alone_and_gets_others_when_it_is_sent_anew(listed):
    await accepted(listed, list_(order(5, items=["ship", "domestic_tour"])))
    for _ in ("at once", "by its own copy"):
        assert await outcomes(listed, 5, None, CABIN, HOLIDAY) == ["allow", "deny", "deny"]
        await settled(listed)
    await accepted(listed, list_(order(5, items=["air"])))
    assert await outcomes(listed, 5, None, CABIN, HOLIDAY) == ["deny", "allow", "allow"]
    await accepted(listed, list_(order(5)))
    assert await outcomes(listed, 5, None, CABIN, HOLIDAY) == ["deny"] * 3


async def test_an_order_restricts_from_its_first_day_on(listed, clock):
    await accepted(listed, list_(order(5, starts_on="2026-11-25")))
    await accepted(listed, list_(order(6, starts_on="2026-11-20", published_on="2026-11-25")))
    found = []
    for days in (0, 1, 2, 3):
        clock.instant = AT + timedelta(days=days)
        found.append([*(await outcomes(listed, 5, CABIN)), *(await outcomes(listed, 6, CABIN))])
    assert found == [["allow", "deny"], ["allow", "deny"], ["deny", "deny"], ["deny", "deny"]]


async def test_an_order_binds_the_officers_and_keeps_its_kind_when_they_change(listed):
    line = company_listing(7, ("principal", 8), id="listing-7", items=["ship"], **ORDER)
    version = await accepted(listed, list_(line))
    assert await outcomes(listed, 8, CABIN, HOLIDAY, GRADED) == ["deny", "allow", "allow"]
    rows = company_listing(7, ("actual_controller", 9))["officers"]
    await accepted(listed, officers(7, rows))
    assert await outcomes(listed, 8, CABIN) == ["allow"]
    assert await outcomes(listed, 9, CABIN, HOLIDAY, GRADED) == ["deny", "allow", "allow"]
    assert await roles_then(listed, 8, version) == ["principal"]


async def test_a_measure_that_is_kept_after_an_order_stays_the_orders(listed):
    await accepted(listed, retain(20, BY_ORDER, BY_ENTRY, until="2026-12-31"), delist(20))
    for _ in ("at once", "by its own copy"):
        assert await measures(listed, 2) == [(BY_ORDER, "consumption_order")]
        assert await outcomes(listed, 2, HOLIDAY) == ["allow"]
        await settled(listed)
