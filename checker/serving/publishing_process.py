"""The publishing process of a server: it brings changes to the cache, so that no worker has to.

A rebuild of millions keeps a processor busy for a minute; in a worker every check would wait in
line with it. The server's main process keeps this one alive beside its workers.
"""

import asyncio
import multiprocessing
import os
import signal
from typing import Final

import uvloop
from prometheus_client import CollectorRegistry, Counter

from checker.config import Config, load_config
from checker.logs import LogFormat, ending_in_log, keep_log
from checker.node.joining import START_S
from checker.node.parent import end_with_parent
from checker.node.runtime import open_node
from checker.serving.supervision import Job

_spawn = multiprocessing.get_context("spawn")


def run_publishing_process() -> None:
    """Publish until SIGTERM; the process's whole life."""
    end_with_parent()
    # Ctrl-C reaches the whole group; the main process ends this one in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = load_config(os.environ)
    keep_log(config.log.format or LogFormat.JSON)
    with (
        ending_in_log("the publishing process"),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_run_until_ended(config))


async def _run_until_ended(config: Config) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    # Workers show it too: they read the counts of all processes of the server.
    mismatches = Counter(
        "checker_cache_mismatches",
        "Lists that were withdrawn from Redis, because they did not match their checksums.",
        registry=CollectorRegistry(),
    )
    async with open_node(config, os.environ) as runtime:
        joining = asyncio.create_task(runtime.joining.run_registry())
        await asyncio.wait([joining], timeout=START_S)
        works = [joining] + [
            asyncio.create_task(work)
            for work in (
                runtime.joining.watch_cache(),
                runtime.publisher.run(mismatches.inc),
                runtime.audit.keeper.run(),
                runtime.notices.keeper.run(),
            )
        ]
        await ended.wait()
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


PUBLISHING_JOB: Final = Job(
    name="publishing process",
    make=lambda: _spawn.Process(target=run_publishing_process, name="checker publisher"),
    # Feeds that still run in workers wait for it.
    ends_last=True,
)
"""The publishing process, as the server's supervisor starts it: set by the environment."""
