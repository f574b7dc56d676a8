"""The load: the list is replaced, changed and rebuilt in a loop, and a crowd asks meanwhile.

Bounded by time, and by what must have happened at the least. Draws come from a seed; how the calls
meet does not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import httpx

from tests.faults.crowd_court import Court, keep_rebuilding
from tests.faults.crowd_run import Run
from tests.faults.crowd_sellers import Sellers
from tests.support.running_service import PATIENCE_S, RunningService


async def load(nodes: tuple[RunningService, RunningService], seed: int) -> Run:
    """Run it to its end; then each node is asked about everybody once more."""
    run = Run(nodes)
    draws = (Random(seed + number) for number in range(1_000))
    async with _clients(run, "court") as clients, _clients(run, "institution") as others:
        court, other_court = (Court(run, client) for client in clients)
        sellers = [Sellers(run, client) for client in others]
        await court.begin(next(draws))
        run.begin()
        async with asyncio.TaskGroup() as group:
            works = [
                court.keep_replacing(next(draws)),
                court.keep_changing(next(draws), 0),
                other_court.keep_changing(next(draws), 1),
                other_court.keep_swapping(next(draws)),
                keep_rebuilding(run),
                sellers[0].keep(sellers[0].ask_widely, next(draws)),
                *(
                    each.keep(ask, next(draws))
                    for each in sellers
                    for ask in (each.ask_one, each.ask_one, each.ask_several, each.ask_at_once)
                ),
            ]
            for work in works:
                group.create_task(work)
        for each in sellers:
            await each.ask_about_everybody()
    return run


@asynccontextmanager
async def _clients(run: Run, role: str) -> AsyncIterator[list[httpx.AsyncClient]]:
    clients = [
        httpx.AsyncClient(
            base_url=node.url,
            headers={"authorization": f"Bearer {node.keys[role]}"},
            timeout=PATIENCE_S,
        )
        for node in run.nodes
    ]
    try:
        yield clients
    finally:
        for client in clients:
            await client.aclose()
