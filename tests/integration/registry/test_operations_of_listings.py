"""Each operation on a listing, and its effect on a check and on the past."""

from datetime import timedelta

import pytest

from checker.domain.service import Lodging
from tests.integration.registry.operation_effects import codes, roles_then, told
from tests.support.operation_lines import delist, fulfil, list_, officers, retain, shield, unshield
from tests.support.registry_grounds import (
    AT,
    accepted,
    apply,
    check_of,
    company_listing,
    decision_of,
    document_of,
    listings_in_force,
    name_of,
    person_listing,
    publish,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio

AIR = "cn-2016-64/2.7.1"
HOTEL = Lodging(star_rating=5)
FIRST = document_of(resident_id(1))


@pytest.fixture
async def listed(node):
    """A node with two persons and a company of one officer on its list."""
    await publish(
        node, [person_listing(1), person_listing(2), company_listing(3, ("principal", 4))]
    )
    return await settled(node)


async def test_a_listing_that_is_put_on_the_list_is_refused_at_once(listed):
    version = await accepted(listed, list_(person_listing(5)))
    assert await told(listed, 1, 5, 6) == ["deny", "deny", "allow"]
    assert [await roles_then(listed, 5, then) for then in (1, version)] == [[], ["debtor"]]


async def test_a_listing_that_is_sent_anew_is_replaced(listed):
    await accepted(listed, list_(company_listing(3, ("principal", 5), ("principal", 6))))
    assert await told(listed, 4, 5, 6) == ["allow", "deny", "deny"]


async def test_operations_need_no_snapshot_before_them(node):
    assert await accepted(node, list_(person_listing(1)), shield(1), unshield(1)) == 1
    assert await told(node, 1, 2) == ["deny", "allow"]


async def test_a_shielded_listing_reaches_nobody_until_it_is_unshielded(listed):
    shielded = await accepted(listed, shield(1), shield(3))
    assert await told(listed, 1, 2, 4) == ["allow", "deny", "allow"]
    shown = await accepted(listed, unshield(1), unshield(3))
    assert await told(listed, 1, 4) == ["deny", "deny"]
    history = [await roles_then(listed, 4, version) for version in (1, shielded, shown)]
    assert history == [["principal"], [], ["principal"]]


async def test_a_listing_that_was_shielded_from_its_first_day_is_refused_once_it_is_shown(listed):
    await accepted(listed, list_(person_listing(5)), shield(5))
    assert await told(listed, 5) == ["allow"]
    await accepted(listed, unshield(5))
    assert await told(listed, 5) == ["deny"]


@pytest.mark.parametrize("operation", [shield(1), delist(1)], ids=lambda line: line["op"])
async def test_whom_nothing_reaches_any_more_has_no_place_in_the_cache(listed, operation):
    token = listed.sealer.document_token(document_of(resident_id(1)))
    assert (await listed.cache.lookup([token])).values != (None,)
    await accepted(listed, operation)
    await settled(listed)
    assert (await listed.cache.lookup([token])).values == (None,)


async def test_a_snapshot_that_repeats_a_shielded_listing_does_not_unshield_it(listed):
    await accepted(listed, shield(1))
    await publish(listed, [person_listing(1), person_listing(2)])
    assert await told(listed, 1, 2) == ["allow", "deny"]


async def test_a_fulfilled_duty_gives_review_from_the_fourth_day_on(listed, clock):
    await accepted(listed, fulfil(1, on="2026-11-23"), fulfil(3, on="2026-11-23"))
    answers = []
    for days in (0, 1, 2, 3, 4, 400):
        clock.instant = AT + timedelta(days=days)
        answers.append(await codes(listed, 1))
        assert await codes(listed, 4) == answers[-1]
    denied, overdue = ("deny", ["restricted"]), ("review", ["removal_overdue"])
    assert answers == [denied] * 4 + [overdue] * 2


async def test_a_duty_fulfilled_days_ago_is_overdue_at_once(listed):
    await accepted(listed, fulfil(1, on="2026-11-16"))
    assert await codes(listed, 1) == ("review", ["removal_overdue"])


async def test_who_left_the_officers_is_free_at_once_and_who_came_is_refused(listed):
    rows = company_listing(3, ("legal_representative", 5), ("actual_controller", 6))["officers"]
    version = await accepted(listed, officers(3, rows))
    assert await told(listed, 4, 5, 6) == ["allow", "deny", "deny"]
    assert await roles_then(listed, 4, version - 1) == ["principal"]
    assert await roles_then(listed, 4, version) == []
    assert await roles_then(listed, 5, version) == ["legal_representative"]


async def test_a_company_without_officers_reaches_nobody_but_itself(listed):
    await accepted(listed, officers(3, []))
    assert await told(listed, 4) == ["allow"]
    assert await listings_in_force(listed) == {"listing-1", "listing-2", "listing-3"}


async def test_what_stands_of_a_company_stays_when_its_officers_are_replaced(listed):
    await accepted(listed, shield(3))
    rows = company_listing(3, ("principal", 5))["officers"]
    await accepted(listed, officers(3, rows))
    assert await told(listed, 5) == ["allow"]
    await accepted(listed, unshield(3))
    assert await told(listed, 5) == ["deny"]
    # The same listing as sent before it all is another content, and so sets the officers back.
    await accepted(listed, list_(company_listing(3, ("principal", 4))))
    assert await told(listed, 4, 5) == ["deny", "allow"]


@pytest.mark.parametrize(
    "operation",
    [
        delist(9),
        shield(9),
        unshield(9),
        fulfil(9),
        officers(9, []),
        retain(9, AIR, until="2027-01-01"),
    ],
    ids=lambda operation: operation["op"],
)
async def test_an_operation_on_an_unknown_listing_is_rejected(listed, operation):
    report = await apply(listed, operation)
    assert [line.code for line in report.rejected] == ["unknown-listing"]
    assert await told(listed, 1, 2, 4) == ["deny", "deny", "deny"]


async def test_a_number_shown_in_part_comes_and_goes_by_operations_too(listed):
    masked = resident_id(7)[:10] + "****" + resident_id(7)[14:]
    hidden = person_listing(7)
    hidden["party"]["documents"] = [{"type": "resident_id", "number": masked}]
    await accepted(listed, list_(hidden))
    assert await told(listed, 7) == ["review"]
    decision = await decision_of(listed, check_of(resident_id(7), name_of(8)))
    assert decision.outcome.value == "allow"
    await accepted(listed, delist(7))
    assert await told(listed, 7) == ["allow"]
