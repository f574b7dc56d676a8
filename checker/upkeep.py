"""What a node does besides answering: it keeps itself current, and publishes if it is told to."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from cache.errors import CacheIncomplete
from checker.fault_log import FaultLog
from checker.runtime import Runtime

_log = logging.getLogger(__name__)


@asynccontextmanager
async def keep_current(runtime: Runtime, *, publish: bool) -> AsyncIterator[None]:
    """Run what keeps a serving node current: replica, keys, and the publisher if told.

    Nothing waits for the cache: until it holds the newest list, checks ask the registry.
    """
    await runtime.key_ring.refresh()
    await runtime.receipt_keys.prepare()
    faults = FaultLog(_log, "following the list")

    def met(error: Exception) -> None:
        faults.met(error)
        if isinstance(error, CacheIncomplete):
            runtime.repair.report_incomplete()

    works = {
        "pulse": runtime.pulse.run(),
        "replica": runtime.follower.run(met),
        "repair": runtime.repair.run(),
        "key ring": runtime.key_ring.run(),
        "receipt keys": runtime.receipt_keys.run(),
        "key uses": runtime.key_ring.uses.run(),
        "spending": runtime.spending.run(),
        "tallies": runtime.audit.tallies.run(),
        "reconciliations": runtime.reconciliations.run(),
    }
    if publish:
        works["publisher"] = runtime.publisher.run()
        works["audit keeper"] = runtime.audit.keeper.run()
        works["notices"] = runtime.notices.keeper.run()
    async with _tasks(works):
        yield


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
