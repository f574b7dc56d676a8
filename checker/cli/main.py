"""The root of the command line.

A command's module is imported when it is run: most need no HTTP server, and a clerk who asks about
one person need not wait for one to be read in.
"""

import importlib
from collections.abc import Mapping
from typing import Final

import click

from checker.cli.options import Commands

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "checker.cli.serve:serve",
    "demo": "checker.cli.demo:demo",
    "import": "checker.cli.feed:import_list",
    "feed": "checker.cli.follow:feed",
    "check": "checker.cli.check:check",
    "keys": "checker.cli.keys:keys",
    "accounts": "checker.cli.accounts:accounts",
    "status": "checker.cli.status:status",
    "rebuild": "checker.cli.rebuild:rebuild",
    "audit": "checker.cli.audit:audit",
    "receipts": "checker.cli.receipts:receipts",
    "verify-receipt": "checker.cli.verify_receipt:verify_receipt",
}
"""Where each command is, by the name that is typed."""


class Root(Commands):
    """All commands, each read in when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name them, in the order of their names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Read a command in; None: there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=Root)
@click.version_option(package_name="checker")
def main() -> None:
    """Whether a listed judgment defaulter (失信被执行人) may buy, asked at the point of service."""
