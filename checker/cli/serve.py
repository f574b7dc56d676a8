"""`checker serve`."""

import click

from checker.cli.options import beginning_options
from checker.config import Config
from checker.node.servers import open_servers
from checker.serving import server
from checker.serving.forked import begin_imports, call_forked

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
    begin_imports()
    server.refuse_unusable(host, port)
    with open_servers(config) as named:
        call_forked("checker.node.trial:try_stores", named)
        server.serve(named, host=host, port=port, workers=workers)
