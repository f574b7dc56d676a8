"""The record and its twin answer any sequence of orders alike."""

import random

import pytest

from checker.domain.jurisdiction import NATION
from checker.errors import CheckerError, Conflict
from checker.spending.errors import CapExceeded
from tests.integration.spending.memory_town import MemoryTown
from tests.integration.spending.spending_grounds import (
    MERCHANT,
    OTHER_MERCHANT,
    TOWN,
    VILLAGE,
    room,
)

pytestmark = pytest.mark.anyio

PEOPLE = (1, 2, 3)
SOMEBODY = 4
"""Listed from the beginning: without a list nobody is cleared."""
ORDERS = 120


@pytest.mark.parametrize("seed", range(6))
async def test_both_answer_alike(record, seed):
    towns = (record, MemoryTown())
    sides = [_Side(town, random.Random(seed)) for town in towns]
    for side in sides:
        await side.town.list(SOMEBODY)
    for turn in range(ORDERS):
        answers = [await side.turn(turn) for side in sides]
        assert answers[0] == answers[1], turn
    assert await room(sides[0].merchants, person=SOMEBODY) == await room(
        sides[1].merchants, person=SOMEBODY
    )


class _Side:
    """One store under a sequence that the seed alone determines."""

    def __init__(self, town, rng):
        self.town = town
        self.rng = rng
        self.merchants = town.merchants()
        self._held = []
        self._listed = set()

    async def turn(self, turn):
        self.town.clock.move(seconds=self.rng.choice(_SECONDS))
        what = self.rng.choices(_WHAT, _WEIGHTS)[0]
        try:
            return what, _told(await getattr(self, f"_{what}")(turn))
        except CheckerError as error:
            return what, _refusal(error)

    async def _list(self, _turn):
        person = self.rng.choice(PEOPLE)
        if person not in self._listed:
            await self.town.list(person)
            self._listed.add(person)

    async def _bind(self, _turn):
        await self.town.bind(*self.rng.sample(PEOPLE, 2))

    async def _authorize(self, turn):
        answer = await self.merchants.authorize(
            self.rng.choice(PEOPLE),
            self.rng.randint(1, 500),
            by=self.rng.choice([MERCHANT, OTHER_MERCHANT]),
            key=self._key(turn),
            jurisdiction=self.rng.choice([NATION, TOWN, VILLAGE]),
            hold_seconds=self.rng.choice([1, 100, 100_000]),
            reference=self.rng.choice([None, "STAY"]),
        )
        if answer.id is not None:
            self._held.append(answer)
        return answer

    async def _increment(self, turn):
        hours = self.rng.choice([None, 10, 10_000])
        return await self.merchants.increment(
            self._any(), self.rng.randint(1, 200), key=self._key(turn), hold_seconds=hours
        )

    async def _capture(self, turn):
        return await self.merchants.capture(
            self._any(), self.rng.randint(1, 400), key=self._key(turn)
        )

    async def _void(self, turn):
        return await self.merchants.void(self._any(), key=self._key(turn))

    async def _refund(self, turn):
        return await self.merchants.refund(
            self._any(), self.rng.randint(1, 200), key=self._key(turn)
        )

    async def _find(self, _turn):
        return await self.merchants.find(self._any())

    def _any(self):
        """Something held before, so that both sides mean the same; at first nothing that is."""
        return self.rng.choice(self._held) if self._held else _Nothing()

    def _key(self, turn):
        return f"key {self.rng.choice([turn, turn, turn, max(0, turn - 1)])}"


_SECONDS = (0, 1, 60, 3_600, 40_000, 0, 1, 60, 3_600, 40_000, -5, -90_000)
"""How the clock moves; now and then it goes back."""


class _Nothing:
    id = "01939c5e-0000-7000-8000-000000000000"


_WHAT = ("list", "bind", "authorize", "increment", "capture", "void", "refund", "find")
_WEIGHTS = (2, 1, 8, 3, 4, 2, 3, 2)


def _told(answer):
    """What both must say alike: ids are each side's own."""
    if answer is None:
        return None
    fields = {name: getattr(answer, name) for name in answer.__struct_fields__}
    return {name: value for name, value in fields.items() if name not in {"id", "decision_id"}}


def _refusal(error):
    told = [type(error).__name__, str(error)]
    if isinstance(error, CapExceeded):
        told.append(error.spending)
    if isinstance(error, Conflict):
        told.append(error.resolution)
    return told
