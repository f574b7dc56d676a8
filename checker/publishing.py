"""The publishing process of a server: it brings changes to the cache, so that no worker has to.

A rebuild of millions keeps a processor busy for a minute; in a worker every check would wait in
line with it. The server's main process starts this one, starts it again when it ends, and ends it.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from prometheus_client import CollectorRegistry, Counter

from checker.config import Config, load_config
from checker.logs import LogFormat, ending_in_log, keep_log
from checker.parent import end_with_parent
from checker.runtime import open_runtime

RESTART_PAUSE_S = 0.5
STOP_TIMEOUT_S = 5.0

_spawn = multiprocessing.get_context("spawn")
_log = logging.getLogger(__name__)


@contextmanager
def publishing_process() -> Iterator[None]:
    """Keep a publishing process alive, set by the environment as the workers are."""
    keeper = _Keeper()
    thread = threading.Thread(target=keeper.keep, name="publisher keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.stop()
        thread.join(STOP_TIMEOUT_S)


class _Keeper:
    """Starts the process, and another one whenever it has ended."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None

    def keep(self) -> None:
        while not self._stopping.is_set():
            with self._changing:
                if self._stopping.is_set():
                    return
                self._process = _spawn.Process(target=publish, name="checker publisher")
                self._process.start()
            self._process.join()
            if not self._stopping.wait(RESTART_PAUSE_S):
                _log.warning("the publishing process has ended and is started again")

    def stop(self) -> None:
        with self._changing:
            self._stopping.set()
            if self._process is not None:
                self._process.terminate()


def publish() -> None:
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
        runner.run(_publish(config))


async def _publish(config: Config) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    # Workers show it too: they read the counts of all processes of the server.
    mismatches = Counter(
        "checker_cache_mismatches",
        "Lists that were withdrawn from Redis, because they did not match their checksums.",
        registry=CollectorRegistry(),
    )
    async with open_runtime(config, os.environ) as runtime:
        works = [
            asyncio.create_task(work)
            for work in (
                runtime.publisher.run(mismatches.inc),
                runtime.audit.keeper.run(),
                runtime.notices.keeper.run(),
            )
        ]
        await ended.wait()
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
