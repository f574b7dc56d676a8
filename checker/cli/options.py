"""The options that commands share, and how a command runs in a deployment.

The parts of a node are imported when a command runs in one: `checker serve` itself needs none.
"""

import asyncio
import functools
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec
import uvloop

from checker.config import CONFIG_VARIABLE, DATA_DIR_VARIABLE, Config, load_config
from checker.formats.formats import LIST_FORMATS
from checker.formats.listing import LISTING

if TYPE_CHECKING:
    from checker.node.runtime import Runtime

R = TypeVar("R")

_Command = Callable[..., Any]

_pretty = functools.partial(msgspec.json.format, indent=2)


def deployment_options(command: _Command) -> _Command:
    """Return the command with `--data-dir` and `--config`; its first argument is the `Config`.

    The command needs a deployment that exists, and never begins one.
    """
    return _with_deployment_options(command, may_begin=False)


def beginning_options(command: _Command) -> _Command:
    """Return the command as `deployment_options`; where there is no deployment, it begins one."""
    return _with_deployment_options(command, may_begin=True)


def _with_deployment_options(command: _Command, *, may_begin: bool) -> _Command:
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
        return command(msgspec.structs.replace(config, may_begin=may_begin), **kwargs)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


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
    config: Config, work: Callable[["Runtime"], Coroutine[Any, Any, R]], *, publish: bool = False
) -> R:
    """Open the servers and a node, return the result of `work`, and close both.

    `publish`: the work changes the list. The command then publishes the change itself, because no
    server may be running.
    """
    from checker.node.runtime import open_runtime  # noqa: PLC0415 - see the module
    from checker.node.servers import open_servers  # noqa: PLC0415 - see the module
    from checker.node.upkeep import publisher_running  # noqa: PLC0415 - see the module

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


def print_json(value: Any) -> None:
    """Print a value as indented JSON on standard output."""
    click.echo(_pretty(msgspec.json.encode(value)))
