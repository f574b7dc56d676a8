"""`checker audit`: verifies the stored record."""

import sys

import click

from checker.cli.endings import ExitCode
from checker.cli.options import (
    deployment_options,
    json_option,
    print_json,
    run_in_deployment,
)
from checker.config import Config
from checker.journal.chained_table import ChainHead
from checker.node.record import NotedHeads, RecordVerification, verify_record
from checker.node.runtime import Runtime


def _noted_heads(_ctx: click.Context, _option: click.Parameter, text: str | None) -> NotedHeads:
    if text is None:
        return NotedHeads()
    parts = text.split(",")
    try:
        if len(parts) > len(NotedHeads.__struct_fields__):
            raise ValueError
        noted = []
        for part in parts:
            written, _, digest = part.partition(":")
            noted.append((int(written), bytes.fromhex(digest)))
    except ValueError:
        raise click.BadParameter(
            "is one head or two, with a comma between: each a number, a colon, and a digest in"
            " hexadecimal"
        ) from None
    (number, digest_noted), *behind = noted
    journal = None
    for link, link_noted in behind:
        journal = ChainHead(number=link, digest=link_noted)
    return NotedHeads(decisions=ChainHead(number=number, digest=digest_noted), journal=journal)


@click.group()
def audit() -> None:
    """Verify the stored record."""


@audit.command()
@click.option(
    "--head",
    callback=_noted_heads,
    metavar="HEAD",
    help="A head that this command has printed earlier. The chains must still hold it.",
)
@json_option
@deployment_options
def verify(config: Config, head: NotedHeads, as_json: bool) -> None:
    """Verify all that the deployment has recorded.

    The chain over decisions and outcomes is verified. So is every row of the list, of spending, of
    permits' uses and of management, against the journal. Balances and outlines are computed again.

    Exit code 3: a fault was found. The first faults are printed, each with its row.
    """

    async def work(runtime: Runtime) -> RecordVerification:
        return await verify_record(runtime.work_engine, runtime.sealer, head)

    found = run_in_deployment(config, work)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found.fault_count:
        sys.exit(ExitCode.FAULTS_FOUND)


def _print(found: RecordVerification) -> None:
    decisions, journal, spending = found.decisions, found.journal, found.spending
    for fault in (*decisions.faults, *journal.faults, *spending.faults):
        click.echo(fault)
    click.echo(
        f"decisions: {decisions.links} links, {decisions.waiting} rows wait for theirs, "
        f"{decisions.fault_count} faults"
    )
    rows = sum(journal.rows.values())
    click.echo(
        f"journal: {journal.links} links, {journal.waiting} entries wait for theirs, "
        f"{rows} rows, {journal.fault_count} faults"
    )
    click.echo(f"journal kept since: {journal.since or 'never begun'}")
    click.echo(
        f"head: {decisions.head_number}:{decisions.head_digest}"
        f",{journal.head_number}:{journal.head_digest}"
    )
    click.echo(
        f"spending: {spending.authorizations} authorizations, {spending.steps} steps, "
        f"{spending.fault_count} faults"
    )
