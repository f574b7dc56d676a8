"""`checker serve`."""

import asyncio
import os

import click
import uvloop

from checker.cli.options import beginning_options
from checker.config import Config
from checker.domain.clock import SystemClock
from checker.logs import LogFormat, keep_command_log
from checker.node.foundation import open_foundation
from checker.node.servers import open_servers
from checker.serving import server

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

host_option = click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address.")
port_option = click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Port."
)
workers_option = click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes."
)


@click.command()
@host_option
@port_option
@workers_option
@beginning_options
def serve(config: Config, host: str, port: int, workers: int) -> None:
    """Answer checks over HTTP until stopped."""
    server.refuse_unusable(host, port)
    with (
        open_servers(config) as named,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_look(named))
        server.serve(named, host=host, port=port, workers=workers)


async def _look(config: Config) -> None:
    """Join the stores, so that a wrong setting ends the command with one line.

    A store that cannot be reached is logged; the server starts without it.
    """
    keep_command_log(config.log.format or LogFormat.JSON)
    async with open_foundation(config, os.environ, SystemClock()) as base:
        await base.joining.begin()
