"""The works of a node besides answering: joining its stores, keeping current, and publishing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from cache.errors import CacheIncomplete
from checker.node.joining import START_S
from checker.node.runtime import Runtime
from checker.registry.key_renewal import KeyRenewal
from checker.retention.keeper import RetentionKeeper
from checker.work import CountFailure, Work, count_nothing, working


@asynccontextmanager
async def keep_current(
    runtime: Runtime, *, publish: bool, count_failure: CountFailure = count_nothing
) -> AsyncIterator[None]:
    """Do the works that keep a serving node current; with `publish`, the publishing works too.

    Waits for PostgreSQL for a moment, so that a node in good order knows all keys when it begins to
    answer. Without PostgreSQL the node begins all the same, and joins later. Nothing waits for the
    cache: until the cache holds the newest list, checks ask the registry.
    """
    works = [*_current(runtime), *(_publishing(runtime) if publish else ())]
    async with working(runtime.joining.works(), count_failure):
        await _make_ready(runtime)
        async with aclosing(runtime.replica), working(works, count_failure):
            yield


@asynccontextmanager
async def publisher_running(runtime: Runtime) -> AsyncIterator[None]:
    """Let the publisher lead meanwhile, if nobody else does: a command may run without a server."""
    async with working(runtime.publisher.works()):
        yield


async def _make_ready(runtime: Runtime) -> None:
    """Join PostgreSQL, and read what answers need at once; give up after START_S seconds."""
    # The works of all three try again, and log why.
    with suppress(Exception):
        async with asyncio.timeout(START_S):
            await runtime.joining.until_joined()
            await runtime.key_ring.refresh()
            await runtime.receipt_keys.refresh()


def _current(runtime: Runtime) -> tuple[Work, ...]:
    return (
        runtime.pulse.work,
        *_replica_works(runtime),
        runtime.repair.work,
        runtime.key_ring.work,
        runtime.receipt_keys.work,
        runtime.key_ring.uses.work,
        runtime.spending.work,
        runtime.feed_requests.work,
        runtime.audit.tallies.work,
        runtime.reconciliations.upkeep,
    )


def _publishing(runtime: Runtime) -> tuple[Work, ...]:
    return (
        *runtime.publisher.works(),
        runtime.audit.keeper.work(),
        *runtime.notices.keeper.works(),
        KeyRenewal(runtime.work_engine, runtime.sealer).work,
        _retention_keeper(runtime).work,
    )


def _retention_keeper(runtime: Runtime) -> RetentionKeeper:
    vault, settings = runtime.sealer.vault, runtime.config.retention
    return RetentionKeeper(runtime.work_engine, vault, runtime.clock, settings)


def _replica_works(runtime: Runtime) -> tuple[Work, Work]:
    """Return the two works of the replica: a Redis that is frozen holds up the first alone."""
    replica = runtime.replica

    async def read() -> None:
        try:
            await replica.read_once()
        except CacheIncomplete:
            runtime.repair.report_incomplete()
            raise

    return (
        Work(name="keeping the replica", every_s=0, do=read),
        Work(name="asking for the registry's word", every_s=0, do=replica.ask_word_if_due),
    )
