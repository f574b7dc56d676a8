"""`checker doctor`: examines a deployment."""

import os
import sys
from pathlib import Path

import click

from checker.cli.endings import ExitCode
from checker.cli.options import deployment_options, json_option, print_json
from checker.config import Config
from checker.doctor.examination import examine, has_fault
from checker.domain.clock import SystemClock


@click.command()
@json_option
@click.option(
    "--tls-certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="PEM file of the server's certificate.",
)
@deployment_options
def doctor(config: Config, *, as_json: bool, tls_certificate: Path | None) -> None:
    """Examine the machine, Redis, PostgreSQL and the list, and print how to mend each fault.

    Changes nothing, and prints no secret. Exit code 3: there is a fault.
    """
    findings = examine(config, os.environ, SystemClock(), tls_certificate)
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            click.echo(f"{finding.level:<8} {finding.name}: {finding.detail}")
            if finding.mend is not None:
                click.echo(f"{'':<8} → {finding.mend}")
    if has_fault(findings):
        sys.exit(ExitCode.FAULTS_FOUND)
