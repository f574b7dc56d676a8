"""A process that replaces the list and is killed when it has committed and not yet switched."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from cache.redis_store import RedisStandingCache
from checker.intake.snapshot import SnapshotFeed
from checker.node.runtime import open_runtime
from tests.support.fake_clock import FakeClock
from tests.support.registry_grounds import (
    ENVIRON,
    TOKEN_KEYS,
    config_of,
    feed_of,
    ndjson,
    person_listing,
)


class DyingCache(RedisStandingCache):
    """The real store, up to the switch."""

    async def switch(self, generation):
        os.kill(os.getpid(), signal.SIGKILL)


async def main(database_url, redis_url, data_dir):
    config = config_of(Path(data_dir), database_url, redis_url)
    clock = FakeClock()
    async with open_runtime(config, ENVIRON, clock=clock) as node:
        feed = SnapshotFeed(
            engine=node.work_engine,
            cache=DyingCache.connect(redis_url, token_keys=TOKEN_KEYS),
            sealer=node.sealer,
            token_keys=TOKEN_KEYS,
            clock=clock,
            in_force=node.barrier.wait,
        )
        await feed.replace(feed_of(ndjson([person_listing(3)])))


asyncio.run(main(*sys.argv[1:]))
