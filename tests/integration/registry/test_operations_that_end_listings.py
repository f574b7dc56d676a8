"""How a listing ends, what outlives it, and how it begins anew: in checks, and in the past."""

from datetime import date, timedelta

import pytest

from checker.domain.service import Air, Lodging
from checker.registry.versions import version_at
from tests.integration.registry.operation_effects import codes, roles_then, told
from tests.support.operation_lines import delist, fulfil, list_, retain, shield, unshield
from tests.support.registry_grounds import (
    AT,
    accepted,
    apply,
    company_listing,
    document_of,
    person_listing,
    publish,
    resident_id,
    settled,
    standing_then,
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


@pytest.mark.parametrize("ground", ["fulfilled", "settled", "terminated", "corrected"])
async def test_a_delisting_frees_at_once_whatever_its_ground(listed, ground):
    version = await accepted(listed, delist(1, ground), delist(3, ground))
    assert await told(listed, 1, 2, 4) == ["allow", "deny", "allow"]
    assert await roles_then(listed, 1, version - 1) == ["debtor"]
    assert await roles_then(listed, 4, version - 1) == ["principal"]
    assert await roles_then(listed, 1, version) == await roles_then(listed, 4, version) == []


async def test_a_delisting_dated_to_come_frees_with_that_day_in_shanghai(listed, clock):
    await accepted(listed, delist(1, on="2026-11-25"), delist(2, on="9999-12-31"))
    answers = []
    for hours in (0, 38, 39):  # it is 09:02 in Shanghai: midnight is within the 15th hour
        clock.instant = AT + timedelta(hours=hours)
        answers += await told(listed, 1, 2)
    assert answers == ["deny", "deny", "deny", "deny", "allow", "deny"]


async def test_a_delisting_to_come_can_be_moved_forward(listed):
    await accepted(listed, delist(1, on="2026-11-25"))
    await accepted(listed, delist(1, on="2026-11-23"))
    assert await told(listed, 1) == ["allow"]


async def test_who_is_delisted_can_be_listed_again(listed):
    versions = [1]
    versions.append(await accepted(listed, delist(1)))
    versions.append(await accepted(listed, list_(person_listing(1))))
    assert await told(listed, 1) == ["deny"]
    versions.append(await accepted(listed, delist(1)))
    assert await told(listed, 1) == ["allow"]
    history = [await roles_then(listed, 1, version) for version in versions]
    assert history == [["debtor"], [], ["debtor"], []]


async def test_what_was_said_of_a_listing_does_not_bind_the_one_listed_after_it(listed, clock):
    await accepted(listed, shield(1), fulfil(1), delist(1))
    clock.move(days=9)
    await accepted(listed, list_(person_listing(1)))
    assert await codes(listed, 1) == ("deny", ["restricted"])


async def test_a_listing_whose_delisting_has_come_can_begin_anew(listed, clock):
    await accepted(listed, delist(1, on="2026-11-25"))
    clock.move(days=3)
    assert await told(listed, 1) == ["allow"]
    await accepted(listed, list_(person_listing(1)))
    assert await told(listed, 1) == ["deny"]


@pytest.mark.parametrize("day", [{}, {"on": "2026-11-25"}])
async def test_a_snapshot_lists_anew_what_it_still_holds_of_the_delisted(listed, clock, day):
    await accepted(listed, delist(1, **day))
    clock.move(days=3)
    assert await told(listed, 1) == ["allow"]
    await publish(listed, [person_listing(1), person_listing(2)])
    assert await told(listed, 1) == ["deny"]


async def test_a_snapshot_before_the_day_of_a_delisting_does_not_undo_it(listed, clock):
    await accepted(listed, delist(1, on="2026-11-25"))
    await publish(listed, [person_listing(1), person_listing(2)])
    assert await told(listed, 1) == ["deny"]
    clock.move(days=3)
    assert await told(listed, 1) == ["allow"]


async def test_a_retained_measure_outlives_the_listing_until_its_end(listed, clock):
    await accepted(listed, retain(1, AIR, until="2026-12-01"), delist(1))
    assert await codes(listed, 1, Air(flight="CZ3101")) == ("deny", ["restricted"])
    assert await codes(listed, 1, HOTEL) == ("allow", [])
    clock.instant = AT + timedelta(days=7)
    assert await codes(listed, 1) == ("deny", ["restricted"])
    clock.instant = AT + timedelta(days=8)
    assert await told(listed, 1) == ["allow"]


async def test_a_retention_said_after_the_delisting_or_without_near_end_holds_too(listed):
    await accepted(listed, delist(1))
    version = await accepted(listed, retain(1, AIR, until="9999-12-31"))
    assert await told(listed, 1, 2) == ["deny", "deny"]
    standing = await standing_then(listed, document_of(resident_id(1)), version)
    assert [(link.measures, link.ends_on) for link in standing.links] == [
        (frozenset({AIR}), date.max)
    ]
    assert await roles_then(listed, 1, version - 1) == []


async def test_what_was_retained_then_is_told_though_the_listing_began_anew_since(listed):
    await accepted(listed, retain(1, AIR, until="2026-12-01"))
    ended = await accepted(listed, delist(1))
    first, second = "（2026）粤0882执1号", "（2026）粤0882执9号"
    again = await accepted(listed, list_(person_listing(1, case_number=second)))
    told_then = [
        {
            (link.listing.case_number, link.measures)
            for link in (await standing_then(listed, FIRST, version)).links
        }
        for version in (1, ended, again)
    ]
    kept = frozenset({AIR})
    assert told_then == [{(first, None)}, {(first, kept)}, {(second, None), (second, kept)}]


async def test_a_retained_measure_is_one_reason_while_the_listing_stands(listed):
    await accepted(listed, retain(1, AIR, until="2026-12-01"))
    assert await codes(listed, 1) == ("deny", ["restricted"])
    assert await codes(listed, 1, HOTEL) == ("deny", ["restricted"])


async def test_what_is_retained_outlives_a_snapshot_that_drops_the_listing(listed):
    await accepted(listed, retain(1, AIR, until="2026-12-01"))
    await publish(listed, [person_listing(2), person_listing(5)])
    assert await codes(listed, 1) == ("deny", ["restricted"])
    assert await codes(listed, 1, HOTEL) == ("allow", [])


@pytest.mark.parametrize(
    "operation", [shield(1), unshield(1), fulfil(1)], ids=lambda operation: operation["op"]
)
async def test_an_ended_listing_can_only_be_delisted_again_or_retained(listed, operation):
    await accepted(listed, delist(1))
    report = await apply(listed, operation, delist(1, "settled"))
    assert [(line.line, line.code) for line in report.rejected] == [(1, "listing-ended")]
    assert report.accepted == 1


async def test_the_version_in_force_at_a_past_instant_can_be_told(listed, clock):
    instants = [clock.instant]
    for operation in (delist(1), list_(person_listing(1)), shield(1), unshield(1)):
        clock.move(hours=1)
        instants.append(clock.instant)
        await accepted(listed, operation)
    async with listed.engine.connect() as connection:
        found = [await version_at(connection, instant) for instant in instants]
        later = await version_at(connection, instants[0] + timedelta(minutes=59))
        before = await version_at(connection, instants[0] - timedelta(milliseconds=1))
    states = [await roles_then(listed, 1, version.version) for version in found]
    assert states == [["debtor"], [], ["debtor"], [], ["debtor"]]
    assert (later, before) == (found[0], None)
