"""A crowd of clerks who hold, capture, void and refund, and the model of what that must leave.

Each clerk leads one stay after the other, and is the only one who moves what it holds; so of every
authorization the steps are known, whatever runs beside it. An order whose answer is lost is said
again under its key until it is answered. Knows neither HTTP nor the service: a till sends.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

AMOUNT_MAX = 40_000
HOLD_SECONDS_LEFT = 1
"""How long a hold lasts that its clerk forgets."""

AGAIN_SHARE = 0.02
"""Of the orders that were answered, how many are said again all the same."""

Step = tuple[str, int]


class AnswerLost(Exception):
    """Nobody knows whether the order was carried out."""


@dataclass(frozen=True)
class Said:
    """An order: who says what under which key."""

    merchant: int
    key: str
    move: str
    person: int | None = None
    authorization_id: str | None = None
    amount_fen: int | None = None
    hold_seconds: int | None = None


@dataclass(frozen=True)
class Told:
    """An answer by its HTTP status and body."""

    status: int
    body: dict[str, Any]


class Till(Protocol):
    """Sends orders, one at a time."""

    async def send(self, said: Said) -> Told:
        """Raises AnswerLost."""
        ...


@dataclass
class Model:
    """What was answered: all steps of each authorization, and those that nobody ended."""

    steps: dict[str, list[Step]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    sent: int = 0
    lost: int = 0
    refused: int = 0
    said_again: int = 0

    def agrees(self, authorization_id: str, rows: list[Step]) -> bool:
        """Whether the rows are the steps, and for what was forgotten perhaps its end."""
        steps = self.steps.get(authorization_id)
        if rows == steps:
            return True
        if steps is None or authorization_id not in self.forgotten:
            return False
        return rows == [*steps, ("expired", sum(amount_fen for _, amount_fen in steps))]


@dataclass
class Crowd:
    """Clerks of several merchants, one for each till, with some people who come to all of them."""

    people: Sequence[int]
    merchants: int
    orders: int
    seed: int
    model: Model = field(default_factory=Model)

    async def work(self, tills: Sequence[Till]) -> None:
        """Let all clerks work until enough orders were sent; the first fault ends it."""
        async with asyncio.TaskGroup() as group:
            for place, till in enumerate(tills):
                group.create_task(self._clerk(place, till))

    @property
    def is_over(self) -> bool:
        return self.model.sent - self.model.lost >= self.orders

    async def _clerk(self, place: int, till: Till) -> None:
        clerk = _Clerk(self, place, till)
        while not self.is_over:
            await clerk.stay()


class _Clerk:
    def __init__(self, crowd: Crowd, place: int, till: Till) -> None:
        self._model = crowd.model
        self._crowd = crowd
        self._till = till
        self._place = place
        self._rng = Random(crowd.seed * 1_000 + place)
        self._merchant = place % crowd.merchants
        self._keys = 0

    async def stay(self) -> None:
        """Lead one stay from the hold to its end."""
        rng = self._rng
        is_forgotten = rng.random() < 0.1
        amount_fen = rng.randint(1, AMOUNT_MAX)
        held = await self._order(
            "authorize",
            person=rng.choice(self._crowd.people),
            amount_fen=amount_fen,
            hold_seconds=HOLD_SECONDS_LEFT if is_forgotten else None,
        )
        if held.status == 409:
            self._refused(held)
            return
        assert held.status == 201, held
        self._within_limit(held)
        authorization_id: str = held.body["id"]
        steps = self._model.steps.setdefault(authorization_id, [])
        assert steps == [], "no authorization is given out twice"
        steps.append(("held", amount_fen))
        if is_forgotten:
            self._model.forgotten.add(authorization_id)
            return
        while rng.random() < 0.3:
            amount_fen += await self._grow(authorization_id, steps)
        if rng.random() < 0.3:
            await self._move("void", authorization_id, steps, ("voided", amount_fen))
        else:
            await self._capture(authorization_id, steps, amount_fen)
        if rng.random() < 0.1:
            await self._resolve_again(authorization_id)

    async def _grow(self, authorization_id: str, steps: list[Step]) -> int:
        more_fen = self._rng.randint(1, AMOUNT_MAX // 4)
        told = await self._order(
            "increment", authorization_id=authorization_id, amount_fen=more_fen
        )
        if told.status == 409:
            self._refused(told)
            return 0
        assert told.status == 200, told
        self._within_limit(told)
        steps.append(("incremented", more_fen))
        return more_fen

    async def _capture(self, authorization_id: str, steps: list[Step], held_fen: int) -> None:
        left_fen = self._rng.randint(1, held_fen)
        await self._move("capture", authorization_id, steps, ("captured", left_fen))
        # Nearly everything comes back, or soon nobody would have room for anything.
        while left_fen and self._rng.random() < 0.98:
            back_fen = left_fen if self._rng.random() < 0.6 else self._rng.randint(1, left_fen)
            await self._move("refund", authorization_id, steps, ("refunded", back_fen))
            left_fen -= back_fen

    async def _move(self, move: str, authorization_id: str, steps: list[Step], step: Step) -> None:
        amount_fen = None if move == "void" else step[1]
        told = await self._order(move, authorization_id=authorization_id, amount_fen=amount_fen)
        assert told.status == 200, (move, told)
        steps.append(step)

    async def _resolve_again(self, authorization_id: str) -> None:
        told = await self._order("capture", authorization_id=authorization_id, amount_fen=1)
        assert (told.status, told.body["code"]) == (409, "conflict"), told
        assert told.body["resolution"]["status"] in {"captured", "voided", "refunded"}

    def _refused(self, told: Told) -> None:
        assert told.body["code"] == "cap-exceeded", told
        self._model.refused += 1

    def _within_limit(self, told: Told) -> None:
        spending = told.body["spending"]
        assert spending["held_fen"] + spending["captured_fen"] <= spending["limit_fen"], told

    async def _order(self, move: str, **what: Any) -> Told:
        """Say an order until it is answered, now and then once more, and give the answer."""
        self._keys += 1
        key = f"{self._crowd.seed}-{self._place}-{self._keys}"
        said = Said(merchant=self._merchant, key=key, move=move, **what)
        told = await self._until_answered(said)
        if self._rng.random() < AGAIN_SHARE:
            self._model.said_again += 1
            assert await self._until_answered(said) == told
        return told

    async def _until_answered(self, said: Said) -> Told:
        while True:
            self._model.sent += 1
            try:
                return await self._till.send(said)
            except AnswerLost:
                self._model.lost += 1
