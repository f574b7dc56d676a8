"""`checker audit`: proves what is kept."""

import sys

import click
import msgspec

from checker.audit.chain import ChainHead
from checker.audit.chain_verification import ChainVerification, verify_chain
from checker.cli.options import (
    EXIT_FAULTS,
    deployment_options,
    json_option,
    run_in_deployment,
    tell_json,
)
from checker.config import Config
from checker.runtime import Runtime
from checker.spending.verification import SpendingVerification, verify_spending


def _noted_head(
    _ctx: click.Context, _option: click.Parameter, text: str | None
) -> ChainHead | None:
    if text is None:
        return None
    number, _, digest = text.partition(":")
    try:
        return ChainHead(number=int(number), digest=bytes.fromhex(digest))
    except ValueError:
        raise click.BadParameter("is a number, a colon, and a digest in hexadecimal") from None


@click.group()
def audit() -> None:
    """Prove what is kept."""


class AuditVerification(msgspec.Struct, frozen=True, kw_only=True):
    """What was verified of each kind."""

    decisions: ChainVerification
    spending: SpendingVerification

    @property
    def fault_count(self) -> int:
        """Faults of both kinds."""
        return self.decisions.fault_count + self.spending.fault_count


@audit.command()
@click.option(
    "--head",
    callback=_noted_head,
    metavar="NUMBER:DIGEST",
    help="A head of the chain that was noted earlier, which has to be in it still.",
)
@json_option
@deployment_options
def verify(config: Config, head: ChainHead | None, as_json: bool) -> None:
    """Verify the chain over decisions and outcomes, and that every balance of spending follows
    from its steps. Exit code 3: something does not hold, and it is told where.
    """

    async def work(runtime: Runtime) -> AuditVerification:
        return AuditVerification(
            decisions=await verify_chain(runtime.work_engine, noted=head),
            spending=await verify_spending(runtime.work_engine, runtime.sealer.vault),
        )

    told = run_in_deployment(config, work)
    if as_json:
        tell_json(told)
    else:
        _tell(told)
    if told.fault_count:
        sys.exit(EXIT_FAULTS)


def _tell(told: AuditVerification) -> None:
    decisions, spending = told.decisions, told.spending
    for fault in (*decisions.faults, *spending.faults):
        click.echo(fault)
    click.echo(
        f"decisions: {decisions.links} links, {decisions.waiting} rows wait for theirs, "
        f"{decisions.fault_count} faults"
    )
    click.echo(f"head: {decisions.head_number}:{decisions.head_digest}")
    click.echo(
        f"spending: {spending.authorizations} authorizations, {spending.steps} steps, "
        f"{spending.fault_count} faults"
    )
