"""`checker audit`: proves what is kept."""

import sys

import click

from checker.cli.options import (
    EXIT_FAULTS,
    deployment_options,
    json_option,
    run_in_deployment,
    tell_json,
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
    """Prove what is kept."""


@audit.command()
@click.option(
    "--head",
    callback=_noted_heads,
    metavar="HEAD",
    help="A head that this command has printed earlier. It has to be in the chains still.",
)
@json_option
@deployment_options
def verify(config: Config, head: NotedHeads, as_json: bool) -> None:
    """Verify the chain over decisions and outcomes, and every row of the list, of spending, of
    permits' uses and of management against the journal. Balances and outlines are made again.

    Exit code 3: something does not hold. The first faults are printed, each with its row.
    """

    async def work(runtime: Runtime) -> RecordVerification:
        return await verify_record(runtime.work_engine, runtime.sealer, head)

    told = run_in_deployment(config, work)
    if as_json:
        tell_json(told)
    else:
        _tell(told)
    if told.fault_count:
        sys.exit(EXIT_FAULTS)


def _tell(told: RecordVerification) -> None:
    decisions, journal, spending = told.decisions, told.journal, told.spending
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
