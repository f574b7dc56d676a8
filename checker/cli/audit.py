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
from checker.runtime import Runtime
from checker.spending.verification import SpendingVerification, verify_spending


@click.group()
def audit() -> None:
    """Prove what is kept."""


@audit.command()
@json_option
@deployment_options
def verify(config: Config, as_json: bool) -> None:
    """Verify that every balance follows from the steps of spending. Exit code 3: one does not."""

    async def work(runtime: Runtime) -> SpendingVerification:
        return await verify_spending(runtime.work_engine, runtime.sealer.vault)

    told = run_in_deployment(config, work)
    if as_json:
        tell_json(told)
    else:
        for fault in told.faults:
            click.echo(fault)
        click.echo(
            f"{told.authorizations} authorizations, {told.steps} steps, {told.fault_count} faults"
        )
    if told.fault_count:
        sys.exit(EXIT_FAULTS)
