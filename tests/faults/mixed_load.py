"""The mixed load of one run: sellers, courts, clerks with holds, and a look at both nodes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from time import monotonic
from typing import Any

from tests.faults.caller_line import Line, Unanswered
from tests.faults.mixed_callers import Court, Seller
from tests.faults.observation import Observation
from tests.faults.pacing import pause
from tests.faults.registers import Register, innocents, new_registers
from tests.faults.till_over_http import TillOverHttp
from tests.faults.two_node_stand import MERCHANTS, Stand
from tests.support.spending_crowd import AnswerLost, Crowd, Said
from tests.support.spending_crowd import Told as Answered

PEOPLE = range(1, 13)
"""They spend, and are on the list all the time."""

INNOCENTS = 2_000
ENDLESS = 1 << 60
CALM_S = 0.3
PAUSE_S = 0.02
RECOVERY_S_MAX = 45.0


class World:
    """The parts that outlive a run: all registers, the innocents, and the number of runs."""

    def __init__(self) -> None:
        self.registers = new_registers(0)
        self.numbers = innocents(INNOCENTS)
        self.runs = 0

    def renew(self) -> None:
        """Begin with other people: after a run that failed, nobody knows how the list stands."""
        self.registers = new_registers(self.runs)


class PatientTill:
    """A till that breathes after a lost answer, and rests while the clerks do."""

    def __init__(self, till: TillOverHttp, seen: Observation) -> None:
        self._till = till
        self._seen = seen
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.is_idle = asyncio.Event()
        self.is_idle.set()

    async def send(self, said: Said) -> Answered:
        await self.may_go_on.wait()
        await pause(PAUSE_S)
        sent_at = monotonic()
        self.is_idle.clear()
        try:
            told = await self._till.send(said)
        except AnswerLost:
            self._seen.met("order", sent_at, is_answered=False)
            await pause(3 * PAUSE_S)
            raise
        finally:
            self.is_idle.set()
        self._seen.met("order", sent_at, is_answered=True)
        return told

    async def aclose(self) -> None:
        await self._till.aclose()


class Load:
    """One run of the load on a stand."""

    def __init__(self, stand: Stand, world: World) -> None:
        world.runs += 1
        self.seen = Observation()
        self._stand = stand
        self._world = world
        self._loop = asyncio.get_running_loop()
        seed = stand.seed + 1_000 * world.runs
        self._draw = Random(seed)
        self._lines: list[Line] = []
        self.crowd = Crowd(people=PEOPLE, merchants=MERCHANTS, orders=ENDLESS, seed=seed)
        keys = [stand.keys[f"merchant {place}"] for place in range(MERCHANTS)]
        self._tills = [
            PatientTill(TillOverHttp(node.service.address[1], keys, seed + place), self.seen)
            for place, node in enumerate(stand.nodes)
        ]
        courts = [[self._line(node, "court") for node in stand.nodes] for _ in range(2)]
        self._courts = [
            Court(lines, self.seen, Random(seed + place), world.registers[place::2])
            for place, lines in enumerate(courts)
        ]

    def _line(self, node: Any, role: str | None) -> Line:
        line = Line(node.service.address, None if role is None else self._stand.keys[role])
        self._lines.append(line)
        return line

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Run the load meanwhile; at the end every change and order is finished first."""
        is_over = asyncio.Event()
        finishing = [
            asyncio.create_task(court.keep_changing(f"r{self._world.runs}c{place}", is_over))
            for place, court in enumerate(self._courts)
        ]
        finishing.append(asyncio.create_task(self.crowd.work(self._tills)))
        asking = [asyncio.create_task(each) for each in self._askers()]
        try:
            yield self
            is_over.set()
            self.crowd.orders = 0
            async with asyncio.timeout(RECOVERY_S_MAX):
                await asyncio.gather(*finishing)
        finally:
            for task in (*asking, *finishing):
                task.cancel()
            ends = await asyncio.gather(*asking, *finishing, return_exceptions=True)
            for line in self._lines:
                line.close()
            for till in self._tills:
                await till.aclose()
        faults = [end for end in ends if isinstance(end, Exception)]
        if faults:
            raise faults[0]

    def _askers(self) -> list[Any]:
        found = []
        for node in self._stand.nodes:
            sellers = [
                Seller(
                    self._line(node, "institution"),
                    self.seen,
                    Random(self._draw.random()),
                    self._world.registers,
                )
                for _ in range(4)
            ]
            found += [
                sellers[0].check_innocents(self._world.numbers),
                sellers[1].check_innocents(self._world.numbers),
                sellers[2].check_registers(),
                sellers[3].check_batches(self._world.numbers),
            ]
        return found

    async def recovered(self) -> float:
        """Wait until both nodes are ready and all callers are answered; return that instant."""
        lines = [self._line(node, None) for node in self._stand.nodes]
        began = monotonic()
        ready_at: float | None = None
        while monotonic() - began < RECOVERY_S_MAX:
            if not all([await _is_ready(line) for line in lines]):
                ready_at = None
            elif ready_at is None:
                ready_at = monotonic()
            now = monotonic()
            if ready_at is not None and now - max(ready_at, self.seen.unanswered_at) > CALM_S:
                return max(ready_at, self.seen.unanswered_at)
            await pause(PAUSE_S)
        raise AssertionError("the nodes are not whole again")

    @property
    def registers(self) -> list[Register]:
        """All registers of the world."""
        return self._world.registers

    @staticmethod
    async def stay(seconds: float) -> None:
        """Let the load go on for so long."""
        await pause(seconds)

    def rest_clerks(self) -> None:
        """Let the clerks alone rest; called from another thread."""
        asyncio.run_coroutine_threadsafe(self._rest(self._tills), self._loop).result()

    def rest(self) -> None:
        """Let courts and clerks rest; called from another thread."""
        asyncio.run_coroutine_threadsafe(
            self._rest([*self._courts, *self._tills]), self._loop
        ).result()

    def go_on(self, *, lost: list[Register]) -> None:
        """Let courts send again the newest changes of `lost`; then all go on."""
        asyncio.run_coroutine_threadsafe(self._go_on(lost), self._loop).result()

    def change_only(self, seconds: float) -> None:
        """Let the courts alone go on for so long."""
        asyncio.run_coroutine_threadsafe(self._change_only(seconds), self._loop).result()

    async def _rest(self, resting: Sequence[Court | PatientTill]) -> None:
        for one in resting:
            one.may_go_on.clear()
        for one in resting:
            await one.is_idle.wait()

    async def _change_only(self, seconds: float) -> None:
        for court in self._courts:
            court.may_go_on.set()
        await pause(seconds)
        await self._rest(self._courts)

    async def _go_on(self, lost: list[Register]) -> None:
        await self._courts[0].send_again(lost)
        for one in (*self._courts, *self._tills):
            one.may_go_on.set()


async def _is_ready(line: Line) -> bool:
    try:
        told = await line.ask("GET", "/readyz")
    except Unanswered:
        return False
    return told.status == 200 and told.body["status"] == "ready"
