"""A random world of listings, questions and hours that pass."""

import random
from datetime import timedelta

from checker.domain.clock import shanghai_day
from checker.domain.service import Air, Lodging
from tests.support.operation_lines import (
    bind,
    delist,
    list_,
    officers,
    passport,
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
    publish,
    resident_id,
)

PEOPLE = range(1, 6)
COMPANIES = (11, 12)
HOTELS = ("hotel", "airline")
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


class WideWorld(RandomWorld):
    """A world with snapshots, bound documents, masked numbers and parties that are replaced.

    `binds`: documents are bound all the time. Else they are bound before there are permits.
    """

    def __init__(self, town, seed, *, binds=True):
        super().__init__(town, seed)
        self.binds = binds

    async def step(self):
        match self.draw.randrange(10):
            case 0:
                self.town.clock.move(hours=self.draw.randrange(1, HOURS_MAX))
            case 1:
                whole = [self.listing(each) for each in (*PEOPLE, *COMPANIES)]
                kept = [each for each in whole if self.draw.random() < 0.7]
                await publish(self.town.node, kept, allow_shrink=True, allow_empty=True)
            case _:
                operations = [self.operation() for _ in range(self.draw.choice((1, 2, 4)))]
                await apply(self.town.node, *operations)

    def operation(self):
        drawn = super().operation()
        person = self.draw.choice(PEOPLE)
        return self.draw.choice(
            [
                drawn,
                drawn,
                drawn,
                list_(self.listing(self.draw.choice((*PEOPLE, *COMPANIES)))),
                bind(document(resident_id(person)), passport(person)) if self.binds else drawn,
            ]
        )

    async def bind_some(self):
        """Bind the documents of some people."""
        for person in self.draw.sample(PEOPLE, 3):
            await self.town.do(bind(document(resident_id(person)), passport(person)))

    def listing(self, index):
        """A listing of that index, of one of several holders, each under one of their documents."""
        until = self.draw.choice((None, None, self.day(DAY * self.draw.randrange(4))))
        if index in COMPANIES:
            drawn = company_listing(index, *self.some_officers(), expires_on=until)
            for each in drawn["officers"]:
                each["documents"] = [self.some_document(self.draw.choice(PEOPLE))]
            return drawn
        person = self.draw.choice((index, index, self.draw.choice(PEOPLE)))
        named = self.draw.choice((person, person, index))
        party = {
            "type": "person",
            "name": name_of(named),
            "documents": [self.some_document(person)],
        }
        return person_listing(index, party=party, expires_on=until)

    def some_document(self, person):
        number = resident_id(person)
        masked = document(number[:10] + "****" + number[14:])
        return self.draw.choice((document(number), document(number), passport(person), masked))
