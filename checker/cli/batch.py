"""`checker batch`: checks the people of a sheet, and writes the same sheet with decisions."""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from checker.cli.check import COMMAND_LINE, service_as_asked
from checker.cli.endings import ExitCode
from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.domain.clock import SystemClock, shanghai_day
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import parse_jurisdiction
from checker.node.runtime import Runtime
from checker.sheets.bounds import COMMAND_LINE_BOUNDS
from checker.sheets.checked_sheet import counts_of, sheet_with_endings
from checker.sheets.checking import SheetChecks
from checker.sheets.endings import NOT_CHECKABLE, RowEnding, SheetLanguage
from checker.sheets.files import read_sheet
from checker.sheets.headers import SheetColumn
from checker.sheets.plan import SheetLayout, SheetPlan, plan_sheet
from checker.sheets.rows import read_rows
from checker.sheets.sheet import Sheet

_ADDED_TO_NAME: Final = "-checked"


class BatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """The output of `checker batch --json`: the columns that were read, and the rows by decision.

    `file` is None where nothing was checked.
    """

    file: str | None
    sheet: str
    other_sheets: tuple[str, ...]
    layout: SheetLayout
    columns: Mapping[str, str]
    columns_not_read: tuple[str, ...]
    rows: Mapping[str, int]


def _place(_ctx: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    try:
        return None if text is None else parse_jurisdiction(text)
    except InvalidJurisdiction as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--service",
    help="The service of all rows, as JSON, or in words: 'rail train=G79 seat=second'; a column "
    "of one of its fields replaces the field. Default: the columns name the services.",
)
@click.option(
    "--layout",
    type=click.Choice([layout.value for layout in SheetLayout]),
    default=SheetLayout.AUTO.value,
    show_default=True,
    help="The kind of the sheet. insurance asks about the policy holder, school about the "
    "guardian.",
)
@click.option("--jurisdiction", callback=_place, help="The place of service; default: CN.")
@click.option(
    "--language",
    type=click.Choice([language.value for language in SheetLanguage]),
    default=SheetLanguage.ZH.value,
    show_default=True,
    help="The language of the reasons in the sheet.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where the sheet is written; default: beside FILE, with {_ADDED_TO_NAME} in its name.",
)
@click.option("--columns", "only_columns", is_flag=True, help="Show the columns, check nothing.")
@json_option
@deployment_options
def batch(
    config: Config,
    *,
    file: Path,
    service: str | None,
    layout: str,
    jurisdiction: str | None,
    language: str,
    out: Path | None,
    only_columns: bool,
    as_json: bool,
) -> None:
    """Check each row of FILE, a sheet in CSV or .xlsx, and write the same sheet with decisions.

    Each row of people ends as a decision or as not_checkable, with the reason. Exit code 4: at
    least one row is not_checkable.
    """
    target = _target(file, out)
    sheet = read_sheet(_content(file))
    asked = None if service is None else service_as_asked(service)
    plan = plan_sheet(sheet.found, SheetLayout(layout), asked)
    if only_columns:
        _report(_report_of(sheet, plan, None, {}), as_json=as_json)
        return
    endings = _endings(config, sheet, plan, jurisdiction, SheetLanguage(language))
    _write(target, sheet_with_endings(sheet, endings))
    report = _report_of(sheet, plan, target, counts_of(endings))
    _report(report, as_json=as_json)
    if report.rows[NOT_CHECKABLE]:
        sys.exit(ExitCode.PARTLY_DONE)


def _target(file: Path, out: Path | None) -> Path:
    """Return the file to write. Nothing is checked, and so nothing kept, where it has no place."""
    target = out or file.with_name(f"{file.stem}{_ADDED_TO_NAME}{file.suffix}")
    if not target.parent.is_dir():
        raise click.BadParameter("is in no folder that exists", param_hint="--out")
    if target.exists() and target.samefile(file):
        raise click.BadParameter("is FILE itself, which is kept as it is", param_hint="--out")
    return target


def _content(file: Path) -> bytes:
    with file.open("rb") as stream:
        # One byte more than is read: the bound then refuses the file.
        return stream.read(COMMAND_LINE_BOUNDS.file_bytes + 1)


def _endings(
    config: Config,
    sheet: Sheet,
    plan: SheetPlan,
    jurisdiction: str | None,
    language: SheetLanguage,
) -> dict[int, RowEnding]:
    today = shanghai_day(SystemClock().now())
    questions = read_rows(sheet, plan, today, jurisdiction)
    with _progress() as progress:
        bar = progress.add_task("rows", total=len(questions))

        async def work(runtime: Runtime) -> dict[int, RowEnding]:
            checks = SheetChecks(
                checks=runtime.checks,
                sealer=runtime.sealer,
                caller=COMMAND_LINE,
                account_id=None,
                today=today,
                language=language,
            )
            return await checks.end_rows(
                questions, lambda rows: progress.update(bar, completed=rows)
            )

        return run_in_deployment(config, work)


def _write(target: Path, content: bytes) -> None:
    """Write a file that its owner alone may read. The file is there whole, or not at all."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _report_of(
    sheet: Sheet, plan: SheetPlan, target: Path | None, rows: Mapping[str, int]
) -> BatchReport:
    return BatchReport(
        file=None if target is None else str(target),
        sheet=sheet.name,
        other_sheets=sheet.other_names,
        layout=plan.layout,
        columns={column.header: _meaning(column) for column in plan.columns},
        columns_not_read=tuple(column.header for column in plan.other_columns),
        rows=rows,
    )


def _meaning(column: SheetColumn) -> str:
    if column.service is not None:
        leg = f"{column.leg} " if column.leg else ""
        return f"{leg}{column.service.service.value}.{column.service.field}"
    kinds = "|".join(column.kinds)
    return f"{column.field}: {kinds}" if kinds else str(column.field)


def _report(report: BatchReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    click.echo(f"layout {report.layout.value}; columns:")
    for header, meaning in report.columns.items():
        click.echo(f"  {header}  →  {meaning}")
    if report.columns_not_read:
        click.echo(f"not read: {', '.join(report.columns_not_read)}")
    if report.other_sheets:
        click.echo(f"sheets that are not checked: {', '.join(report.other_sheets)}", err=True)
    if report.file is not None:
        counts = ", ".join(f"{count} {decision}" for decision, count in report.rows.items())
        click.echo(f"{report.file}: {counts}")


def _progress() -> Progress:
    """Return a progress bar on standard error, which shows nothing without a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
