"""Every ended restriction has its notice, and a late publisher sends the same notices."""

import pytest
from sqlalchemy import text

from tests.integration.notices.random_world import HOTELS, PEOPLE, RandomWorld
from tests.support.registry_grounds import company_listing, person_listing, query

pytestmark = pytest.mark.anyio

STEPS = 60


async def live(town, seed):
    """Let a random world go its way, and send notices at every step."""
    world = RandomWorld(town, seed)
    await town.publish(*map(person_listing, PEOPLE), company_listing(11, ("principal", 1)))
    for _ in range(STEPS):
        await world.step()
        await town.tell()
    town.clock.move(days=5)
    return world


async def test_whoever_tells_late_tells_the_same_as_whoever_told_at_every_step(town, seed):
    await live(town, seed)
    at_once = {name: await town.told(name) for name in HOTELS}
    async with town.node.work_engine.begin() as connection:
        await connection.execute(text("DELETE FROM notice"))
        await connection.execute(text("UPDATE notice_progress SET version = 0, instant = NULL"))
    late = {name: await town.told(name) for name in HOTELS}
    assert late == at_once
    assert sum(map(len, late.values())) > 3


async def test_of_whatever_restricts_no_longer_its_institution_was_told(town, seed):
    world = await live(town, seed)
    heard = {
        (decision_id, each["listing_id"])
        for name in HOTELS
        for each in await town.told(name)
        for decision_id in each["decision_ids"]
    }
    freed = set()
    for row in await query(town.node, "SELECT id, listings FROM decision WHERE permit_id IS NULL"):
        name, person, service = world.asked[str(row.id)]
        now, _ = await town.ask(name, person, service=service)
        [again] = await query(
            town.node,
            "SELECT coalesce(max(listings), '{}') AS listings FROM decision"
            " WHERE id = CAST(:id AS uuid) AND permit_id IS NULL",
            id=now,
        )
        freed |= {(str(row.id), listing) for listing in set(row.listings) - set(again.listings)}
    assert freed <= heard
    assert freed
