"""What those who change the list and those who ask about it share during one run."""

import asyncio

from tests.faults.crowd_record import Record, now
from tests.support.running_service import RunningService

LOAD_S = 15.0
LOAD_S_MAX = 120.0
LEAST = {
    "checks": 400,
    "batches": 100,
    "wide": 20,
    "at once": 40,
    "replaced": 8,
    "changed": 60,
    "big": 2,
    "rebuilt": 2,
}
"""How often each must have happened, for less would prove little."""

PAIR = (0, 1)
"""Listed by turns, never both and never neither: an answer that clears both is never true."""

HOT = 40
"""So many who were changed lately; half of all questions are about them."""


class Run:
    """Two nodes, what has happened, and when it is over."""

    def __init__(self, nodes: tuple[RunningService, RunningService]) -> None:
        self.nodes = nodes
        self.record = Record()
        self.happened = dict.fromkeys(LEAST, 0)
        self.hot = list(range(HOT))
        self._began_at = now()
        self._changed = asyncio.Condition()

    def begin(self) -> None:
        self._began_at = now()

    @property
    def is_over(self) -> bool:
        spent = now() - self._began_at
        has_enough = all(self.happened[name] >= least for name, least in LEAST.items())
        return spent > LOAD_S_MAX or (spent > LOAD_S and has_enough)

    def heat(self, person: int) -> None:
        self.hot = [person, *self.hot[: HOT - 1]]

    async def tell_of_change(self) -> None:
        """Also once nobody changes anything any more."""
        async with self._changed:
            self._changed.notify_all()

    async def await_changes(self, count: int) -> None:
        """Wait until so many more were acknowledged, or the run is over."""
        until = self.happened["changed"] + count
        async with self._changed:
            await self._changed.wait_for(lambda: self.happened["changed"] >= until or self.is_over)
