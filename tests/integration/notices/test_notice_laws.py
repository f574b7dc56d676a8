"""Whoever is free was told to be, and whoever tells late tells the same."""

import random
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from checker.domain.clock import shanghai_day
from checker.domain.service import Air, Lodging
from tests.support.operation_lines import (
    delist,
    list_,
    officers,
    permit,
    retain,
    shield,
    unshield,
    withdraw,
)
from tests.support.registry_grounds import (
    apply,
    company_listing,
    document,
    name_of,
    person_listing,
    query,
    resident_id,
)

pytestmark = pytest.mark.anyio

PEOPLE = range(1, 6)
COMPANIES = (11, 12)
HOTELS = ("hotel", "airline")
STEPS = 60
HOURS_MAX = 30
DAY = timedelta(days=1)
MEASURES = ("cn-2016-64/2.7.1", "cn-2016-64/2.7.2")


class RandomWorld:
    """Draws operations, most of them legal, questions, and hours that pass."""

    def __init__(self, town, seed):
        self.town = town
        self.draw = random.Random(seed)
        self.permits = 0
        self.asked = {}

    def day(self, ahead):
        return (shanghai_day(self.town.clock.now()) + ahead).isoformat()

    async def step(self):
        match self.draw.randrange(10):
            case 0 | 1 | 2 | 3:
                await self.ask()
            case 4:
                self.town.clock.move(hours=self.draw.randrange(1, HOURS_MAX))
            case _:
                operations = [self.operation() for _ in range(self.draw.choice((1, 1, 3)))]
                await apply(self.town.node, *operations)

    async def ask(self):
        name, person = self.draw.choice(HOTELS), self.draw.choice(PEOPLE)
        service = self.draw.choice((Air(flight="CZ3101"), Lodging(star_rating=4)))
        decision_id, _ = await self.town.ask(name, person, service=service)
        self.asked[decision_id] = (name, person, service)

    def operation(self):
        person, company = self.draw.choice(PEOPLE), self.draw.choice(COMPANIES)
        listed = self.draw.choice((person, company))
        today, soon = (self.day(DAY * days) for days in (0, self.draw.randrange(1, 4)))
        until = self.draw.choice((None, soon))
        begins = self.draw.choice((today, soon))
        self.permits += 1
        granted, withdrawn = self.permits, self.draw.randrange(self.permits) + 1
        return self.draw.choice(
            [
                list_(person_listing(person, expires_on=until)),
                list_(company_listing(company, *self.some_officers(), expires_on=until)),
                delist(listed, "settled", on=begins),
                shield(listed),
                unshield(listed),
                officers(company, [officer(*each) for each in self.some_officers()]),
                permit(f"permit-{granted}", person, valid_from=begins, valid_until="2027-01-01"),
                withdraw(f"permit-{withdrawn}"),
                retain(listed, self.draw.choice(MEASURES), until=soon),
            ]
        )

    def some_officers(self):
        roles = ("principal", "legal_representative")
        return [(self.draw.choice(roles), each) for each in self.draw.sample(PEOPLE, 2)]


def officer(role, index):
    return {"role": role, "name": name_of(index), "documents": [document(resident_id(index))]}


async def live(town):
    """Let a random world go its way, telling at every step."""
    seed = random.SystemRandom().randrange(1_000_000)
    sys.stdout.write(f"seed {seed}\n")
    world = RandomWorld(town, seed)
    await town.publish(*map(person_listing, PEOPLE), company_listing(11, ("principal", 1)))
    for _ in range(STEPS):
        await world.step()
        await town.tell()
    town.clock.move(days=5)
    return world


async def test_whoever_tells_late_tells_the_same_as_whoever_told_at_every_step(town):
    await live(town)
    at_once = {name: await town.told(name) for name in HOTELS}
    async with town.node.work_engine.begin() as connection:
        await connection.execute(text("DELETE FROM notice"))
        await connection.execute(text("UPDATE notice_progress SET version = 0, instant = NULL"))
    late = {name: await town.told(name) for name in HOTELS}
    assert late == at_once
    assert sum(map(len, late.values())) > 3


async def test_of_whatever_restricts_no_longer_its_institution_was_told(town):
    world = await live(town)
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
