"""Two nodes of one deployment in this process, on real servers, and what may befall them.

Each node is a task that serves as a worker does, and beside it a publisher that can be killed on
its own. The loop runs only while something is asked of it; leases measure real time and may be over
in between, which is one more thing that happens.
"""

import asyncio
import base64
from contextlib import suppress
from functools import partial

import redis

from cache.errors import CacheError
from cache.keys import Keys
from checker.config import Config, ListSettings
from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.settings import Settings
from checker.node.runtime import open_runtime
from checker.node.upkeep import keep_current, publisher_running
from checker.registry.versions import newest_version
from tests.support.registry_grounds import until
from tests.support.token_keys import token_key_variable

_TOKEN_KEY = bytes(range(32))
_ENVIRON = {
    "CHECKER_TOKEN_KEY": token_key_variable(_TOKEN_KEY),
    "CHECKER_ENCRYPTION_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
}
_SETTINGS = Settings(
    high_school_fee_fen=6_000_000, resort_cap_fen=200_000, resort_cap_period=CapPeriod.MONTH
)


class TwoNodes:
    """The deployment: `runtimes` are its nodes, `redis` what may be lost."""

    def __init__(self, data_dir, database_url, redis_url, clock):
        self._config = Config(
            data_dir=data_dir,
            database_url=database_url,
            redis_url=redis_url,
            config_file=None,
            jurisdictions={Jurisdiction("440882"): _SETTINGS},
            list=ListSettings(),
        )
        self._clock = clock
        self.redis = redis.Redis.from_url(redis_url)
        self.runtimes = [None, None]
        self._lives = [None, None]
        self._publishers = [None, None]

    async def open(self):
        """Start both nodes, on a list without anybody."""
        for place in (0, 1):
            await self._start(place)
        await self.runtimes[0].feed.replace(_nothing(), allow_empty=True)

    async def close(self):
        for place in (0, 1):
            await self.kill_publisher(place)
            await _end(self._lives[place])
        self.redis.close()

    async def restart(self, place):
        """End a node with its publisher, in whatever they are at, and start another one."""
        await self.kill_publisher(place)
        await _end(self._lives[place])
        await self._start(place)

    async def kill_publisher(self, place):
        await _end(self._publishers[place])

    def start_publisher(self, place):
        if self._publishers[place].done():
            self._publishers[place] = asyncio.create_task(_publish(self.runtimes[place]))

    async def settle(self):
        """Wait until both nodes answer from what they hold themselves."""
        for place in (0, 1):
            self.start_publisher(place)
        for runtime in self.runtimes:
            await until(partial(_is_settled, runtime))

    def lose(self, what, chosen):
        """Lose a part of Redis; `chosen` picks among keys of a kind."""
        keys = Keys()
        if what == "everything":
            self.redis.flushall()
        elif what == "a node that left no word":
            self.redis.hset(keys.nodes, f"gone:{chosen}", 1)
        else:
            stem = {"a bucket": ":b:", "a filter segment": ":f:", "a head": ":head"}.get(what, "")
            named = {
                "the pointer": [keys.pointer],
                "the vouch": [keys.vouched],
                "the list of nodes": [keys.nodes],
                "the stream": [keys.changes],
            }
            found = named.get(what) or sorted(
                key for key in self.redis.scan_iter(keys.any_generation) if stem.encode() in key
            )
            if found:
                self.redis.delete(found[chosen % len(found)])

    async def ask_for_rebuild(self, place):
        with suppress(CacheError):
            live = await self.runtimes[place].cache.current()
            if live is not None:
                await self.runtimes[place].cache.request_rebuild(live.id)

    async def _start(self, place):
        opened = asyncio.get_running_loop().create_future()
        self._lives[place] = asyncio.create_task(self._live(opened))
        self.runtimes[place] = await opened
        self._publishers[place] = asyncio.create_task(_publish(self.runtimes[place]))

    async def _live(self, opened):
        async with (
            open_runtime(self._config, _ENVIRON, clock=self._clock) as runtime,
            keep_current(runtime, publish=False),
        ):
            opened.set_result(runtime)
            await asyncio.Event().wait()


async def _publish(runtime):
    async with publisher_running(runtime):
        await asyncio.Event().wait()


async def _nothing():
    yield b""


async def _end(task):
    task.cancel()
    await asyncio.wait([task])


async def _is_settled(runtime):
    async with runtime.engine.connect() as connection:
        newest = await newest_version(connection)
    try:
        lookup = await runtime.cache.lookup(())
    except CacheError:
        return False
    held = runtime.replica.position
    return (
        held is not None
        and runtime.replica.holds_lease
        and newest.version == held.version == lookup.position.version
    )
