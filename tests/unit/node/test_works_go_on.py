"""The counts of a worker and the wish for a rebuild go on after an error of any class."""

import asyncio
from math import ceil

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_replica_source import MemoryReplicaSource
from cache.replica_keeper import ReplicaKeeper
from checker.api.metrics import Metrics
from checker.domain.decision import Outcome
from checker.domain.service import ServiceType
from checker.node.work_failures import count_failures
from checker.publication.repair import PAUSE_S, Repair
from checker.work import working
from tests.support.cache_keys import first_key
from tests.support.positions import position

pytestmark = pytest.mark.anyio

TOKEN_KEYS = first_key()
PATIENCE_S = 20


class Pauses:
    """Pauses that take no time; the test waits until so many have begun."""

    def __init__(self):
        self._begun = asyncio.Semaphore(0)

    async def __call__(self, seconds):
        self._begun.release()
        await asyncio.sleep(0)

    async def until(self, count):
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(count):
                await self._begun.acquire()


class BrokenOnceCache(MemoryStandingCache):
    """A cache whose first answer is a bug."""

    is_broken = True

    async def current(self):
        if self.is_broken:
            self.is_broken = False
            raise KeyError
        return await super().current()


class BrokenOnceKeeper(ReplicaKeeper):
    """A replica's keeper whose first answer is a bug."""

    is_broken = True

    @property
    def position(self):
        if self.is_broken:
            self.is_broken = False
            raise KeyError
        return super().position


async def test_a_rebuild_is_asked_for_after_an_error_of_any_class():
    memory, pauses = MemoryStore(), Pauses()
    cache = BrokenOnceCache(memory, token_keys=TOKEN_KEYS)
    live = await cache.build(
        position=position(1), token_key=TOKEN_KEYS.current.fingerprint, count=0, entries=nothing()
    )
    await cache.switch(live)
    seconds = iter(range(0, 10 * ceil(PAUSE_S), ceil(PAUSE_S)))
    repair = Repair(cache, clock=lambda: next(seconds))
    async with working([repair.work], pause=pauses):
        for _ in range(2):
            repair.report_incomplete()
            await pauses.until(1)
    assert live.id.encode() in memory.strings.values()


async def test_a_part_found_right_after_a_wish_makes_no_other_wish():
    memory, pauses = MemoryStore(), Pauses()
    cache = MemoryStandingCache(memory, token_keys=TOKEN_KEYS)
    repair = Repair(cache, clock=lambda: 0.0)
    async with working([repair.work], pause=pauses):
        repair.report_incomplete()
        await pauses.until(1)
        live = await cache.build(
            position=position(1),
            token_key=TOKEN_KEYS.current.fingerprint,
            count=0,
            entries=nothing(),
        )
        await cache.switch(live)
        repair.report_incomplete()
        await asyncio.sleep(0)
    assert live.id.encode() not in memory.strings.values()


async def test_the_counts_of_a_worker_go_on_after_an_error_of_any_class():
    source = MemoryReplicaSource(MemoryStore(), token_keys=TOKEN_KEYS)
    metrics = Metrics(BrokenOnceKeeper("node", source, never))
    pauses = Pauses()
    async with working([metrics.work], metrics.work_failed, pause=pauses):
        await pauses.until(1)
        metrics.decided(ServiceType.AIR, Outcome.ALLOW)
        await pauses.until(2)
    shown = metrics.exposition().decode()
    assert 'checker_checks_total{decision="allow",service="air"} 1.0' in shown
    assert 'checker_work_failures_total{work="writing counts"} 1.0' in shown


def test_failed_rounds_are_counted_by_work():
    registry = CollectorRegistry()
    count = count_failures(registry)
    for work in ("refreshing the keys", "refreshing the keys", "keeping the audit"):
        count(work)
    shown = generate_latest(registry).decode()
    assert 'checker_work_failures_total{work="refreshing the keys"} 2.0' in shown
    assert 'checker_work_failures_total{work="keeping the audit"} 1.0' in shown


async def nothing():
    for batch in ():
        yield batch


async def never(node, after):
    raise AssertionError
