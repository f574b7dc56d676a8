"""Those who ask: alone, in batches small and wide, and as soon as something has changed."""

import json
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

import httpx

from tests.faults.crowd_list import ASKED, NUMBERS, PASSPORTS, answer_in
from tests.faults.crowd_record import Seen, now
from tests.faults.crowd_run import PAIR, Run
from tests.support.asking import FLIGHT, SLOW_TRAIN, question

BATCH = 8
LATELY = 4
WIDE = (900, 1_200)
"""Just not, and just more than one round trip to Redis carries."""

Ask = Callable[[Random], Awaitable[None]]


class Sellers:
    """Ask one node."""

    def __init__(self, run: Run, node: httpx.AsyncClient) -> None:
        self._run = run
        self._node = node

    async def keep(self, ask: Ask, draw: Random) -> None:
        while not self._run.is_over:
            await ask(draw)

    async def ask_one(self, draw: Random) -> None:
        index = self._somebody(draw)
        await self._ask("/v1/checks", _question(draw, index), [index])
        self._run.happened["checks"] += 1

    async def ask_several(self, draw: Random) -> None:
        persons = [self._somebody(draw) for _ in range(BATCH)]
        await self._ask_batch([_question(draw, index) for index in persons], persons)
        self._run.happened["batches"] += 1

    async def ask_at_once(self, _draw: Random) -> None:
        """As soon as a change was acknowledged."""
        await self._run.await_changes(1)
        persons = [*PAIR, *self._run.hot[:LATELY]]
        await self._ask_batch([question(NUMBERS[index], FLIGHT) for index in persons], persons)
        self._run.happened["at once"] += 1

    async def ask_widely(self, draw: Random) -> None:
        """The pair with so many between them that the list may move on while it is read.

        Those between travel by a slow train, which is nobody's to refuse: where the pair is
        cleared too, nothing makes the service look twice.
        """
        first, last = draw.sample(PAIR, 2)
        between = [question(draw.choice(NUMBERS), SLOW_TRAIN) for _ in range(draw.choice(WIDE))]
        checks = [
            question(NUMBERS[first], FLIGHT),
            *between,
            question(NUMBERS[last], FLIGHT),
        ]
        await self._ask_batch(checks, [first, *[None] * len(between), last])
        self._run.happened["wide"] += 1

    async def ask_about_everybody(self) -> None:
        checks = [question(number, FLIGHT) for number in NUMBERS]
        await self._ask_batch(checks, range(len(NUMBERS)))

    async def _ask_batch(self, checks: list[dict[str, Any]], persons: Sequence[int | None]) -> None:
        await self._ask("/v1/checks/batch", {"checks": checks}, persons)

    async def _ask(self, path: str, body: dict[str, Any], persons: Sequence[int | None]) -> None:
        """Ask and note the answers; a `None` is somebody who asks for a free service."""
        record = self._run.record
        content = json.dumps(body).encode()
        floor, sent_at = record.acknowledged, now()
        answer = await self._node.post(path, content=content)
        answered_at = now()
        if answer.status_code == 503:
            record.unanswered += 1
            return
        assert answer.status_code == 200, answer.text
        told = answer.json()
        answers = list(zip(persons, map(answer_in, told.get("results", [told])), strict=True))
        record.seen.append(
            Seen(
                node=str(self._node.base_url),
                sent_at=sent_at,
                answered_at=answered_at,
                floor=floor,
                version=told["list"]["version"],
                answers=[(index, each) for index, each in answers if index is not None],
                others=frozenset(each for index, each in answers if index is None),
            )
        )

    def _somebody(self, draw: Random) -> int:
        return draw.choice(self._run.hot) if draw.random() < 0.5 else draw.randrange(ASKED)


def _question(draw: Random, index: int) -> dict[str, Any]:
    """A flight by the person's number, or by the passport that is bound to it."""
    if index < len(PASSPORTS) and draw.random() < 0.5:
        return question(PASSPORTS[index], FLIGHT, kind="passport")
    return question(NUMBERS[index], FLIGHT)
