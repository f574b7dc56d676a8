"""`checker feed follow`: takes in the list that a source publishes, and its changes."""

import asyncio
import functools
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import click
import httpx

from checker.cli.endings import ending_for_refused_lines, exit_code_of_lines
from checker.cli.options import (
    beginning_options,
    format_option,
    json_option,
    print_json,
    run_in_deployment,
)
from checker.config import Config
from checker.connector.connector import Round, SourceConnector
from checker.connector.errors import SourceFault
from checker.connector.folder_source import FolderSource
from checker.connector.positions import Positions
from checker.connector.source import ListSource
from checker.connector.web_source import TIMEOUT, WebSource, parse_url
from checker.errors import ConfigurationError, Unavailable
from checker.formats.feed_format import ListFormat
from checker.intake.sealed_spool import spool_folder
from checker.logs import LogFormat, keep_command_log
from checker.node.runtime import Runtime

INTERVAL_S = 60.0
TOKEN_BYTES_MAX = 8 << 10

_log = logging.getLogger(__name__)


@click.group()
def feed() -> None:
    """Follow the lists that the courts publish."""


@feed.command()
@click.argument("url")
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(1, 86_400),
    default=INTERVAL_S,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--once", is_flag=True, help="Look once, print the result, and end.")
@format_option("The format of the lines of a whole list.")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the token (Authorization: Bearer) for the source, and for it alone.",
)
@json_option
@beginning_options
def follow(
    config: Config,
    *,
    url: str,
    interval_s: float,
    once: bool,
    feed_format: ListFormat,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Take in the list that URL publishes, and its changes.

    The command runs until it is stopped, unless --once is given. With --once the exit code is 4 if
    some lines were rejected, and 5 if no line stands.

    URL names a list (NDJSON), a manifest (JSON), or a directory with a manifest.json: on the web,
    or a path of this machine.
    """
    address = _address(url)
    token = None if token_file is None else _token(token_file)
    if token is not None and isinstance(address, Path):
        raise ConfigurationError("a path wants no --token-file")
    keep_command_log(config.log.format or LogFormat.TEXT)
    if token is not None and isinstance(address, httpx.URL) and address.scheme == "http":
        _log.warning("the token goes over the network in the clear: http")

    async def work(runtime: Runtime) -> Round | None:
        async with _open_source(address, token) as source:
            connector = _connector(runtime, source, feed_format)
            if once:
                return await _look_once(connector)
            await _until_stopped(connector, interval_s)
            return None

    with ending_for_refused_lines():
        done = run_in_deployment(config, work, publish=True)
    if done is None:
        return
    if as_json:
        print_json(done)
    else:
        click.echo(_text(done))
    sys.exit(exit_code_of_lines(done.accepted, done.rejected))


def _address(text: str) -> httpx.URL | Path:
    return parse_url(text) if "://" in text else Path(text)


def _token(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            text = opened.read(TOKEN_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"the token file cannot be read: {error.strerror}") from None
    token = text.strip()
    if len(text) > TOKEN_BYTES_MAX or not token or any(not 0x21 <= byte <= 0x7E for byte in token):
        raise ConfigurationError("the token file does not hold one word of ASCII")
    return token.decode("ascii")


@asynccontextmanager
async def _open_source(address: httpx.URL | Path, token: str | None) -> AsyncIterator[ListSource]:
    if isinstance(address, Path):
        yield FolderSource(address)
        return
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client:
        yield WebSource(client, address, token)


def _connector(runtime: Runtime, source: ListSource, feed_format: ListFormat) -> SourceConnector:
    return SourceConnector(
        source=source,
        positions=Positions(runtime.work_engine, runtime.clock),
        replace=functools.partial(runtime.feed.replace, feed_format=feed_format),
        apply=functools.partial(runtime.changes.apply, strict=False),
        folder=spool_folder(runtime.config.data_dir),
    )


async def _look_once(connector: SourceConnector) -> Round:
    try:
        done = await connector.round()
    except SourceFault as error:
        raise Unavailable(str(error)) from None
    if done.left_to_another:
        raise Unavailable("another follower of this source is at it")
    return done


async def _until_stopped(connector: SourceConnector, interval_s: float) -> None:
    """Follow until SIGTERM; what is half done then is given up whole."""
    following = asyncio.create_task(connector.follow(interval_s))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, following.cancel)
    with suppress(asyncio.CancelledError):
        await following


def _text(done: Round) -> str:
    if done.version is None:
        return "nothing new"
    return f"version {done.version}: {done.files} files, {done.rejected} lines rejected"
