"""`checker import`: takes a list, or changes of it, from a file, with a bar on a terminal."""

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
from checker.registry.quarantine_rows import OPERATIONS
from checker.registry.report import FeedReport
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
@click.option(
    "--snapshot/--changes",
    "snapshot",
    default=True,
    help="Replace the whole list (default), or apply each line to it: an operation, or with "
    "--format zxgk a record that is put in force.",
)
@click.option("--strict", is_flag=True, help="With --changes: all lines, or none of them.")
@click.option("--allow-empty", is_flag=True, help="An empty list is meant, and frees everybody.")
@click.option("--allow-shrink", is_flag=True, help="A list of less than half is meant.")
@json_option
@deployment_options
def import_list(  # noqa: PLR0917 - click passes options by name
    config: Config,
    file: Path,
    feed_format: str,
    snapshot: bool,
    strict: bool,
    allow_empty: bool,
    allow_shrink: bool,
    as_json: bool,
) -> None:
    """Replace the list by the lines of FILE (NDJSON), or change it by them."""
    if strict and snapshot:
        raise click.UsageError("--strict goes with --changes; a snapshot is taken in as it is")
    if (allow_empty or allow_shrink) and not snapshot:
        raise click.UsageError("--allow-empty and --allow-shrink go with --snapshot")
    with _progress() as progress:
        bar = progress.add_task("reading", total=file.stat().st_size)

        async def work(runtime: Runtime) -> FeedReport:
            chunks = _chunks(file, lambda size: progress.update(bar, completed=size))
            if not snapshot:
                # A listing alone is no operation; the platform's record can only mean "list".
                is_platforms = feed_format == FeedFormat.ZXGK
                return await runtime.changes.apply(
                    chunks,
                    strict=strict,
                    line_format=FeedFormat.ZXGK if is_platforms else OPERATIONS,
                    progress=told,
                )
            return await runtime.feed.replace(
                chunks,
                feed_format=FeedFormat(feed_format),
                allow_empty=allow_empty,
                allow_shrink=allow_shrink,
                progress=told,
            )

        def told(lines: int) -> None:
            progress.update(bar, description=f"{lines} lines")

        report = run_in_deployment(config, work, publish=True)
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
