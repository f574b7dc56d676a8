"""`checker import`: takes in a list or changes from a file, with a progress bar on a terminal."""

import hashlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from checker.cli.endings import ending_for_refused_lines, exit_code_of_lines
from checker.cli.options import (
    beginning_options,
    format_option,
    json_option,
    print_json,
    run_in_deployment,
)
from checker.config import Config
from checker.formats.feed_format import ListFormat
from checker.formats.formats import format_of_changes
from checker.intake.feed_requests import FeedTerms, RequestKey
from checker.intake.report import FeedReport
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER, OperatorAction
from checker.registry.sealing import Sealer
from checker.text_encoding import Utf8Text

CHUNK_BYTES = 1 << 18
SHOWN_MAX = 20


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option("The format of the lines.")
@click.option(
    "--snapshot/--changes",
    "snapshot",
    default=True,
    help="Replace the whole list (default), or apply each line to it: an operation, or with "
    "another --format than listing a record that is put in force.",
)
@click.option("--strict", is_flag=True, help="With --changes: all lines, or none of them.")
@click.option("--allow-empty", is_flag=True, help="Accept an empty list: it ends all restrictions.")
@click.option("--allow-shrink", is_flag=True, help="Accept a list of less than half the size.")
@click.option(
    "--allow-rejected", is_flag=True, help="Accept a list of which many lines were rejected."
)
@click.option(
    "--idempotency-key",
    "key",
    type=click.STRING,
    help="The same FILE with the same key is taken in only once.",
)
@click.option(
    "--if-match",
    type=click.IntRange(min=0),
    help="The version that the list must have; with another version nothing is changed.",
)
@json_option
@beginning_options
def import_list(  # noqa: PLR0917 - click passes options by name
    config: Config,
    file: Path,
    feed_format: ListFormat,
    snapshot: bool,
    strict: bool,
    allow_empty: bool,
    allow_shrink: bool,
    allow_rejected: bool,
    key: str | None,
    if_match: int | None,
    as_json: bool,
) -> None:
    """Replace the list by the lines of FILE, or change it by them.

    FILE is in UTF-8, GB18030, GBK, GB2312, or UTF-16 with a byte order mark.

    \b
    Exit codes:
      0  All lines stand.
      4  Some lines were rejected, and the others stand.
      5  No line stands: all were rejected, too many were, or one with --strict.
    docs/problems.md has the codes of all commands.
    """
    _refuse_options(snapshot, strict, allow_empty or allow_shrink or allow_rejected)
    asked = ["import", feed_format.name, snapshot, strict, allow_empty, allow_shrink]
    asked += [True] * allow_rejected  # the digests of older imports stay
    with _progress() as progress:
        bar = progress.add_task("reading", total=file.stat().st_size)
        text = Utf8Text(lambda: _chunks(file, lambda size: progress.update(bar, completed=size)))

        async def work(runtime: Runtime) -> FeedReport:
            terms = _terms(runtime.sealer, key, if_match, [*asked, _sha256(file)])
            if snapshot:
                return await runtime.feed.replace(
                    text,
                    feed_format=feed_format,
                    allow_empty=allow_empty,
                    allow_shrink=allow_shrink,
                    allow_rejected=allow_rejected,
                    progress=show,
                    terms=terms,
                )
            line_format = format_of_changes(feed_format)
            return await runtime.changes.apply(
                text, strict=strict, line_format=line_format, progress=show, terms=terms
            )

        def show(lines: int) -> None:
            progress.update(bar, description=f"{lines} lines")

        with ending_for_refused_lines():
            how = {"snapshot": snapshot, "strict": strict}
            report = run_in_deployment(config, _logged(work, how), publish=True)
    if as_json:
        print_json(report)
    else:
        _print(report)
    sys.exit(exit_code_of_lines(report.accepted, report.rejected_count))


def _logged(
    take_in: Callable[[Runtime], Awaitable[FeedReport]], how: Mapping[str, bool]
) -> Callable[[Runtime], Coroutine[Any, Any, FeedReport]]:
    """Return the import with its entries in the log of operators' actions."""

    async def logged(runtime: Runtime) -> FeedReport:
        log, imported = runtime.operator_log, OperatorAction.IMPORT_LIST
        async with log.around(imported, None, by=AT_THE_SERVER, details=how) as result:
            report = await take_in(runtime)
            result.details = {
                "version": report.version,
                "accepted": report.accepted,
                "rejected": report.rejected_count,
            }
        return report

    return logged


def _refuse_options(snapshot: bool, strict: bool, allows: bool) -> None:
    if strict and snapshot:
        raise click.UsageError("--strict goes with --changes; a snapshot is taken in as it is")
    if allows and not snapshot:
        raise click.UsageError("--allow-empty, --allow-shrink, --allow-rejected go with --snapshot")


def _print(report: FeedReport) -> None:
    click.echo(
        f"version {report.version}: {report.accepted} accepted, {report.rejected_count} rejected"
    )
    for field, count in report.dropped_fields.items():
        click.echo(f"  {field}: {count} unreadable, and not needed", err=True)
    for line in report.rejected[:SHOWN_MAX]:
        click.echo(f"  line {line.line}: {line.code}: {line.detail}", err=True)
    if report.rejected_count > SHOWN_MAX:
        click.echo(f"  … and {report.rejected_count - SHOWN_MAX} more", err=True)


def _terms(
    sealer: Sealer, key: str | None, if_match: int | None, asked: Sequence[object]
) -> FeedTerms:
    """Return the terms of an import; all commands count as one sender."""
    if key is None:
        return FeedTerms(if_match=if_match)
    digests = RequestKey(
        key_digest=sealer.key_digest("import", None, key),
        request_digest=sealer.request_digest(asked),
    )
    return FeedTerms(key=digests, if_match=if_match)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


async def _chunks(file: Path, progress: Callable[[int], None]) -> AsyncIterator[bytes]:
    done = 0
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
            done += len(chunk)
            progress(done)


def _progress() -> Progress:
    """Return a progress bar on standard error, which shows nothing without a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
