"""How much the memory of all processes of the nodes grows in a run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.faults.pacing import pause
from tests.faults.two_node_stand import Stand

MEMORY_BYTES_MAX = 150 << 20
LOOK_S = 0.5


@asynccontextmanager
async def growth(stand: Stand) -> AsyncIterator[list[int]]:
    """Give the greatest growth of one process so far, as the only item of a list."""
    before: dict[int, int] = {}
    found = [0]

    def look() -> None:
        for node in stand.nodes:
            for process in node.processes():
                try:
                    held = process.memory_info().rss
                except psutil.Error:
                    continue
                found[0] = max(found[0], held - before.setdefault(process.pid, held))

    async def keep_looking() -> None:
        while True:
            await asyncio.to_thread(look)
            await pause(LOOK_S)

    looking = asyncio.create_task(keep_looking())
    try:
        yield found
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
