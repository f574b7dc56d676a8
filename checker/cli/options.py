"""What all commands share: where the deployment is, how results and errors are told.

Exit codes: 0 done; 1 the service cannot answer now (try again); 2 wrong usage, wrong input or a
setting that must be mended first; 3 what is kept contradicts itself, or what is shown is not
genuine.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import msgspec
import uvloop

from checker.config import CONFIG_VARIABLE, DATA_DIR_VARIABLE, Config, load_config
from checker.embedded.place import EmbeddedServerError
from checker.errors import CheckerError, InvalidRequest, Unavailable
from checker.formats.formats import LIST_FORMATS
from checker.formats.listing import LISTING
from checker.node.runtime import Runtime, open_runtime
from checker.node.servers import open_servers
from checker.node.upkeep import publisher_running

EXIT_UNAVAILABLE = 1
EXIT_USAGE = 2
EXIT_FAULTS = 3

P = ParamSpec("P")
R = TypeVar("R")

_pretty = functools.partial(msgspec.json.format, indent=2)


def deployment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--data-dir` and `--config`, and pass it the `Config` first."""

    @click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help=f"Where the service keeps its things ({DATA_DIR_VARIABLE}; default: ./checker-data).",
    )
    @click.option(
        "--config",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar=CONFIG_VARIABLE,
        help=f"Settings as TOML ({CONFIG_VARIABLE}).",
    )
    @functools.wraps(command)
    def wrapped(data_dir: Path | None, config_file: Path | None, **kwargs: Any) -> Any:
        config = load_config(os.environ, data_dir=data_dir, config_file=config_file)
        return command(config, **kwargs)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Tell the result as JSON.")


def format_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option `--format`, which passes a command the chosen `ListFormat`."""
    return click.option(
        "--format",
        "feed_format",
        type=click.Choice([*LIST_FORMATS]),
        default=LISTING.name,
        show_default=True,
        callback=lambda _context, _parameter, name: LIST_FORMATS[name],
        help=help_text,
    )


def run_in_deployment(
    config: Config, work: Callable[[Runtime], Coroutine[Any, Any, R]], *, publish: bool = False
) -> R:
    """Open the servers and a node, do the work, close both.

    Work that changes the list sets `publish`: without a server nobody else would bring it to the
    cache.
    """

    async def opened(named: Config) -> R:
        async with open_runtime(named, os.environ) as runtime:
            if not publish:
                return await work(runtime)
            async with publisher_running(runtime):
                return await work(runtime)

    with (
        open_servers(config) as named,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(opened(named))


def tell_json(value: Any) -> None:
    """Print a result as JSON on standard output."""
    click.echo(_pretty(msgspec.json.encode(value)))


class Commands(click.Group):
    """A group whose commands tell errors of the service in a line, with an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; end in order at SIGTERM too, so that no server is left behind."""
        signal.signal(signal.SIGTERM, _leave)
        try:
            return super().invoke(ctx)
        except (Unavailable, EmbeddedServerError) as error:
            _fail(error, EXIT_UNAVAILABLE)
        except CheckerError as error:
            _fail(error, EXIT_USAGE)


def _fail(error: Exception, code: int) -> None:
    click.echo(f"checker: {error}", err=True)
    if isinstance(error, InvalidRequest):
        for fault in error.faults:
            click.echo(f"  {fault.pointer or '/'}: {fault.detail}", err=True)
    sys.exit(code)


def _leave(signum: int, _frame: object) -> None:
    sys.exit(128 + signum)
