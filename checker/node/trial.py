"""Tries the stores before a server starts, in a process of its own."""

import asyncio
import os

import uvloop

from checker.config import Config
from checker.domain.clock import SystemClock
from checker.logs import LogFormat, keep_command_log
from checker.node.foundation import open_foundation


def try_stores(config: Config) -> None:
    """Join the stores, so that a wrong setting ends the start with one line.

    A store that cannot be reached is logged; the server starts without it.

    Raises:
        ConfigurationError: as `Joining.begin`.
    """
    keep_command_log(config.log.format or LogFormat.JSON)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_join(config))


async def _join(config: Config) -> None:
    async with open_foundation(config, os.environ, SystemClock()) as base:
        await base.joining.begin()
