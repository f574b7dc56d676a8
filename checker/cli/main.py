"""The root of the command line."""

import click

from checker.cli.accounts import accounts
from checker.cli.audit import audit
from checker.cli.check import check
from checker.cli.demo import demo
from checker.cli.feed import import_list
from checker.cli.follow import feed
from checker.cli.keys import keys
from checker.cli.options import Commands
from checker.cli.rebuild import rebuild
from checker.cli.receipts import receipts
from checker.cli.serve import serve
from checker.cli.status import status
from checker.cli.verify_receipt import verify_receipt


@click.group(cls=Commands)
@click.version_option(package_name="checker")
def main() -> None:
    """Whether a listed judgment defaulter (失信被执行人) may buy, asked at the point of service."""


for command in (
    *(serve, demo, import_list, feed, check, keys, accounts, status, rebuild, audit),
    *(receipts, verify_receipt),
):
    main.add_command(command)
