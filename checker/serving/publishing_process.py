"""The publishing process of a server: it brings changes to the cache, and answers nobody.

A rebuild of millions keeps a processor busy for a minute. In a worker every check would wait for
the rebuild. The server's main process keeps the publishing process alive beside its workers.
"""

import asyncio
import os
import signal
from contextlib import suppress

import uvloop
from prometheus_client import CollectorRegistry, Counter

from checker.config import Config, load_config
from checker.logs import LogFormat, ending_in_log, keep_log
from checker.node.joining import START_S
from checker.node.parent import end_with_parent
from checker.node.publishing_parts import open_publishing_parts
from checker.node.work_failures import count_failures
from checker.work import working


def run_publishing_process() -> None:
    """Publish until SIGTERM: the whole life of the process."""
    end_with_parent()
    # Ctrl-C reaches the whole group; the main process ends this process in order.
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
    # Workers show both metrics: they read the counts of all processes of the server.
    registry = CollectorRegistry()
    mismatches = Counter(
        "checker_cache_mismatches",
        "Lists that were withdrawn from Redis, because they did not match their checksums.",
        registry=registry,
    )
    count_failure = count_failures(registry)
    async with (
        open_publishing_parts(config, os.environ) as parts,
        working(parts.joining.works(), count_failure),
    ):
        with suppress(TimeoutError):
            await asyncio.wait_for(parts.joining.until_joined(), START_S)
        async with working(parts.works(mismatches.inc), count_failure):
            await ended.wait()
