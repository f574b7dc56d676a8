"""The work of a node besides answering: joining its stores, keeping current, and publishing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from cache.errors import CacheIncomplete
from checker.fault_log import FaultLog
from checker.node.joining import START_S
from checker.node.runtime import Runtime

_log = logging.getLogger(__name__)


@asynccontextmanager
async def keep_current(runtime: Runtime, *, publish: bool) -> AsyncIterator[None]:
    """Run the works that keep a serving node current; with `publish`, the publisher too.

    Waits for PostgreSQL for a moment, so that a node in good order knows all keys when it begins to
    answer. Without PostgreSQL it begins all the same, and joins later. Nothing waits for the cache:
    until it holds the newest list, checks ask the registry.
    """
    joining = asyncio.create_task(_join(runtime), name="joining")
    await asyncio.wait([joining], timeout=START_S)
    faults = FaultLog(_log, "following the list")

    def met(error: Exception) -> None:
        faults.met(error)
        if isinstance(error, CacheIncomplete):
            runtime.repair.report_incomplete()

    works = {
        "pulse": runtime.pulse.run(),
        "cache watch": runtime.joining.watch_cache(),
        "replica": runtime.follower.run(met),
        "repair": runtime.repair.run(),
        "key ring": runtime.key_ring.run(),
        "receipt keys": runtime.receipt_keys.run(),
        "key uses": runtime.key_ring.uses.run(),
        "spending": runtime.spending.run(),
        "feed requests": runtime.feed_requests.run(),
        "tallies": runtime.audit.tallies.run(),
        "reconciliations": runtime.reconciliations.run(),
    }
    if publish:
        works["publisher"] = runtime.publisher.run()
        works["audit keeper"] = runtime.audit.keeper.run()
        works["notices"] = runtime.notices.keeper.run()
    async with _tasks(works):
        try:
            yield
        finally:
            joining.cancel()


async def _join(runtime: Runtime) -> None:
    """Join PostgreSQL, and then read what answers need at once."""
    await runtime.joining.run_registry()
    # The loops of both try again, and log why.
    with suppress(Exception):
        await runtime.key_ring.refresh()
        await runtime.receipt_keys.refresh()


@asynccontextmanager
async def publishing(runtime: Runtime) -> AsyncIterator[None]:
    """Publish meanwhile, if nobody else does: a command may be alone on its deployment."""
    async with _tasks({"publisher": runtime.publisher.run()}):
        yield


@asynccontextmanager
async def _tasks(works: Mapping[str, Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
