"""`checker serve`."""

import click

from checker import server
from checker.cli.options import deployment_options, run_in_deployment
from checker.config import Config
from checker.runtime import Runtime
from checker.servers import open_servers

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
@deployment_options
def serve(config: Config, host: str, port: int, workers: int) -> None:
    """Answer checks over HTTP until stopped."""
    server.refuse_unusable(host, port)
    with open_servers(config) as named:
        # What would stop every worker is told here, once and in a line.
        run_in_deployment(named, _nothing)
        server.serve(named, host=host, port=port, workers=workers)


async def _nothing(_runtime: Runtime) -> None:
    """Opening is the test."""
