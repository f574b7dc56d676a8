"""`checker import`: takes a list from a file, with a bar on a terminal."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from checker.cli.options import (
    deployment_options,
    json_option,
    run_in_deployment,
    tell_json,
)
from checker.config import Config
from checker.registry.entry import FeedFormat
from checker.registry.snapshot import FeedReport
from checker.runtime import Runtime

CHUNK_BYTES = 1 << 18
TOLD_MAX = 20


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "feed_format",
    type=click.Choice([form.value for form in FeedFormat]),
    default=FeedFormat.LISTING.value,
    show_default=True,
    help="How the lines are written.",
)
@click.option("--snapshot", is_flag=True, default=True, help="Replace the whole list (default).")
@click.option("--allow-empty", is_flag=True, help="An empty list is meant, and frees everybody.")
@json_option
@deployment_options
def import_list(
    config: Config,
    file: Path,
    feed_format: str,
    snapshot: bool,
    allow_empty: bool,
    as_json: bool,
) -> None:
    """Replace the list by the lines of FILE (NDJSON)."""
    with _progress() as progress:
        bar = progress.add_task("reading", total=file.stat().st_size)

        async def work(runtime: Runtime) -> FeedReport:
            return await runtime.feed.replace(
                _chunks(file, lambda size: progress.update(bar, completed=size)),
                feed_format=FeedFormat(feed_format),
                allow_empty=allow_empty,
                progress=lambda lines: progress.update(bar, description=f"{lines} lines"),
            )

        report = run_in_deployment(config, work)
    if as_json:
        tell_json(report)
        return
    click.echo(
        f"version {report.version}: {report.accepted} accepted, {report.rejected_count} rejected"
    )
    for line in report.rejected[:TOLD_MAX]:
        click.echo(f"  line {line.line}: {line.code}: {line.detail}", err=True)
    if report.rejected_count > TOLD_MAX:
        click.echo(f"  … and {report.rejected_count - TOLD_MAX} more, all in quarantine", err=True)


async def _chunks(file: Path, progress: Callable[[int], None]) -> AsyncIterator[bytes]:
    done = 0
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
            done += len(chunk)
            progress(done)


def _progress() -> Progress:
    """Make a bar on standard error; without a terminal nothing is shown."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
