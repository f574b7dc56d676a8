"""The callers: sellers who check, and courts that change the list; each asks on and on.

A court sends one change again and again until it is acknowledged, under one key. A seller asks
once, and takes 503 for an answer.
"""

import asyncio
import json
from random import Random
from time import monotonic
from typing import Any

from tests.faults.caller_line import Line, Told, Unanswered
from tests.faults.observation import LATE_S, Observation
from tests.faults.pacing import pause
from tests.faults.registers import (
    NAME,
    OTHER_NAME,
    Entry,
    Register,
    told_listings,
)
from tests.support.asking import FLIGHT, question
from tests.support.town import ndjson

PAUSE_S = 0.01
AGAIN_S = 0.05
BATCH = 150
OUTCOME_SHARE = 0.5


class Refused(Exception):
    """The service refused for the time being: 503 with `Retry-After`."""


def judged(told: Told, seen: Observation, what: str) -> Told:
    """Return a good answer. Raises Refused; notes everything else as wrong, and raises it too."""
    if told.status in {200, 201}:
        return told
    is_honest = told.status == 503 and int(told.headers.get("retry-after", 0)) > 0
    if not is_honest or told.body["code"] not in {"unavailable", "crowded"}:
        seen.wrong.append(f"{what}: {told.status} {told.body}")
    raise Refused(told.body["detail"])


class Seller:
    """Checks through one node."""

    def __init__(
        self, line: Line, seen: Observation, draw: Random, registers: list[Register]
    ) -> None:
        self._line = line
        self._seen = seen
        self._draw = draw
        self._registers = registers

    async def check_innocents(self, numbers: list[str]) -> None:
        while True:
            body = question(
                self._draw.choice(numbers), FLIGHT, name=self._draw.choice((None, NAME))
            )
            sent_at = monotonic()
            answer = await self._ask("innocent", "/v1/checks", body, late_s=LATE_S)
            if answer is not None and answer["decision"] != "allow":
                self._seen.wrong.append(f"an innocent: {answer['decision']}")
            await pause(max(PAUSE_S - (monotonic() - sent_at), 0))

    async def check_registers(self) -> None:
        while True:
            register = self._draw.choice(self._registers)
            name = self._draw.choice((None, NAME, OTHER_NAME))
            sent_at = monotonic()
            answer = await self._ask(
                "listed", "/v1/checks", question(register.number, FLIGHT, name=name)
            )
            if answer is not None:
                self._judge(register, name, answer, sent_at)
                await self._report(answer)
            await pause(PAUSE_S)

    async def check_batches(self, numbers: list[str]) -> None:
        while True:
            people: list[tuple[str, Register | None]] = [
                (self._draw.choice(numbers), None) for _ in range(BATCH)
            ]
            for register in self._draw.sample(self._registers, 6):
                people.insert(self._draw.randrange(BATCH), (register.number, register))
            checks = [question(number, FLIGHT, name=NAME) for number, _ in people]
            sent_at = monotonic()
            self._seen.batches += 1
            answer = await self._ask("batch", "/v1/checks/batch", {"checks": checks})
            if answer is not None:
                for (_, register), each in zip(people, answer["results"], strict=True):
                    if register is not None:
                        self._judge(register, NAME, each, sent_at)
                    elif each["decision"] != "allow":
                        self._seen.wrong.append(f"an innocent in a batch: {each}")
            await pause(10 * PAUSE_S)

    def _judge(self, register: Register, name: str | None, answer: Any, sent_at: float) -> None:
        now = monotonic()
        possible = register.possible(sent_at, now)
        right = {register.expected(listing_id, name) for listing_id in possible}
        told = told_listings(answer)
        if answer["decision"] not in right or (told and not told <= possible):
            kind = "masked" if register.is_masked else "listed"
            self._seen.wrong.append(
                f"somebody {kind}, named {name}: {answer['decision']} by {told or 'nobody'}, "
                f"not {right} by {possible}, {sent_at - register.last.sent_at:.3f} s after the "
                f"newest change, acknowledged {sent_at - register.last.acknowledged_at:.3f} s ago"
            )
        if told:
            self._seen.decisions[answer["id"]] = (now, frozenset(told))

    async def _report(self, answer: Any) -> None:
        if answer["decision"] == "allow" or self._draw.random() > OUTCOME_SHARE:
            return
        path = f"/v1/checks/{answer['id']}/outcomes"
        if await self._ask("outcome", path, {"outcome": "refused"}) is not None:
            self._seen.outcomes[answer["id"]] = monotonic()

    async def _ask(self, caller: str, path: str, body: Any, late_s: float = 60.0) -> Any | None:
        sent_at = monotonic()
        try:
            told = await self._line.ask("POST", path, json.dumps(body).encode())
            answer = judged(told, self._seen, caller).body
        except (Unanswered, Refused) as error:
            answer = None
            self._seen.reasons[f"{caller}: {error!r}"] += 1
            await pause(AGAIN_S)
        is_late = monotonic() - sent_at > late_s + (AGAIN_S if answer is None else 0)
        self._seen.met(caller, sent_at, is_answered=answer is not None and not is_late)
        return answer


class Court:
    """Owns some registers, and changes them through one node at a time."""

    def __init__(
        self, lines: list[Line], seen: Observation, draw: Random, registers: list[Register]
    ) -> None:
        self._lines = lines
        self._seen = seen
        self._draw = draw
        self._registers = registers
        self._count = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.is_idle = asyncio.Event()
        self.is_idle.set()

    async def keep_changing(self, prefix: str, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            await self.may_go_on.wait()
            register = self._draw.choice(self._registers)
            listing_id = None
            if register.last.listing_id is None:
                self._count += 1
                listing_id = f"{prefix}-{self._count}"
            self.is_idle.clear()
            await self._change(register, listing_id)
            self.is_idle.set()
            await pause(3 * PAUSE_S)

    async def send_again(self, lost: list[Register]) -> None:
        """Lead registers to their newest state again, of which PostgreSQL holds an older one."""
        for register in lost:
            wanted, held = register.entries[-2], register.entries[-1]
            if held.listing_id not in {None, wanted.listing_id}:
                await self._change(register, None)
            if register.last.listing_id != wanted.listing_id:
                await self._change(register, wanted.listing_id)
            held.acknowledged_at = monotonic()

    async def _change(self, register: Register, listing_id: str | None) -> None:
        before = register.last
        entry = Entry(listing_id, monotonic())
        register.entries.append(entry)
        body = ndjson([register.line(entry, before)])
        headers = {"Idempotency-Key": f"{id(self)}-{entry.sent_at}"}
        while True:
            line = self._draw.choice(self._lines)
            sent_at = monotonic()
            try:
                told = judged(
                    await line.ask("POST", "/v1/feed/changes", body, headers), self._seen, "feed"
                )
                break
            except (Unanswered, Refused) as error:
                self._seen.reasons[f"feed: {error!r}"] += 1
                self._seen.met("feed", sent_at, is_answered=False)
                await pause(AGAIN_S)
        entry.acknowledged_at = monotonic()
        self._seen.met("feed", sent_at, is_answered=True)
        self._seen.changes += 1
        if told.body["rejected"]:
            self._seen.wrong.append(f"a change was rejected: {told.body['rejected']}")
