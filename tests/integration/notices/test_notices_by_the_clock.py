"""A restriction that ends on a day or at an instant is notified then, once, and in order."""

import pytest

from tests.integration.notices.notice_grounds import granted, lifted
from tests.support.operation_lines import delist, list_, permit, withdraw
from tests.support.registry_grounds import person_listing, publish

pytestmark = pytest.mark.anyio


async def test_a_delisting_to_come_is_told_when_its_day_has_come(town):
    await town.publish(person_listing(1))
    first = await town.refused("hotel", 1)
    await town.do(delist(1, on="2026-11-25"))
    second = await town.refused("hotel", 1)
    assert await town.told("hotel") == []
    town.clock.move(days=1)
    assert await town.told("hotel") == []
    # 01:02 in UTC is 09:02 in Shanghai: the day has begun nine hours ago.
    town.clock.move(days=1)
    assert await town.told("hotel") == [
        lifted("listing-1", [first, second], "fulfilled", ended_on="2026-11-25")
    ]
    await town.publish(allow_empty=True)
    assert await town.told("hotel") == []


async def test_an_expiry_is_told_on_its_day(town):
    await town.publish(person_listing(1, expires_on="2026-11-24"))
    decision_id = await town.refused("hotel", 1)
    town.clock.move(hours=14, minutes=57)
    assert await town.told("hotel") == []
    town.clock.move(minutes=1)
    assert await town.told("hotel") == [
        lifted("listing-1", [decision_id], "expired", ended_on="2026-11-24")
    ]


async def test_a_listing_that_expired_and_came_back_is_told_of_twice(town):
    await town.publish(person_listing(1, expires_on="2026-11-24"))
    first = await town.refused("hotel", 1)
    town.clock.move(days=2)
    await town.do(list_(person_listing(1, expires_on="2026-11-28")))
    second = await town.refused("hotel", 1)
    town.clock.move(days=4)
    assert await town.told("hotel") == [
        lifted("listing-1", [first], "expired", ended_on="2026-11-24"),
        lifted("listing-1", [second], "expired", ended_on="2026-11-28"),
    ]


async def test_a_permit_is_told_when_it_begins(town):
    await town.publish(person_listing(1))
    before = await town.refused("airline", 1)
    await town.do(permit(valid_from="2026-11-24T09:00:00+08:00"))
    meanwhile = await town.refused("airline", 1)
    assert await town.told("airline") == []
    town.clock.move(days=1)
    assert await town.told("airline") == [
        granted("listing-1", [before, meanwhile], at="2026-11-24T01:00:00.000Z")
    ]
    town.clock.move(days=1)
    assert await town.told("airline") == []


async def test_a_permit_that_was_withdrawn_before_it_began_is_not_told(town):
    await town.publish(person_listing(1))
    await town.refused("airline", 1)
    await town.do(permit(valid_from="2026-11-24"))
    await town.do(withdraw())
    town.clock.move(days=3)
    assert await town.told("airline") == []


async def test_whoever_tells_late_tells_what_was_so_at_each_instant(town):
    await town.publish(person_listing(1))
    decision_id = await town.refused("airline", 1)
    await town.do(permit(valid_from="2026-11-24T00:00:00+08:00"))
    town.clock.move(days=2)
    await town.do(delist(1, "settled"))
    town.clock.move(days=2)
    await publish(town.node, [person_listing(2)], allow_shrink=True)
    assert await town.told("airline") == [
        granted("listing-1", [decision_id], at="2026-11-23T16:00:00.000Z"),
        lifted("listing-1", [decision_id], "settled", ended_on="2026-11-25"),
    ]
