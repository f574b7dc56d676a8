"""The root of the command line: imports the module of one command, and only when it runs.

So `checker --help` imports no service, and `checker check` no HTTP server.
"""

import importlib
from collections.abc import Mapping
from typing import Final

import click

from checker.cli.commands import Commands

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "checker.cli.serve:serve",
    "demo": "checker.cli.demo:demo",
    "import": "checker.cli.feed:import_list",
    "feed": "checker.cli.follow:feed",
    "check": "checker.cli.check:check",
    "backup": "checker.cli.backup:backup",
    "restore": "checker.cli.backup:restore",
    "batch": "checker.cli.batch:batch",
    "keys": "checker.cli.keys:keys",
    "accounts": "checker.cli.accounts:accounts",
    "status": "checker.cli.status:status",
    "doctor": "checker.cli.doctor:doctor",
    "rebuild": "checker.cli.rebuild:rebuild",
    "accept-older": "checker.cli.accept_older:accept_older",
    "audit": "checker.cli.audit:audit",
    "receipts": "checker.cli.receipts:receipts",
    "verify-receipt": "checker.cli.verify_receipt:verify_receipt",
}
"""The module and the attribute of each command, by its name."""


SUMMARIES: Final[Mapping[str, str]] = {
    "serve": "Answer checks over HTTP until stopped.",
    "demo": "Serve a synthetic list, with keys and a question to try.",
    "import": "Replace the list by a file, or change it.",
    "feed": "Follow the lists that the courts publish.",
    "check": "Ask whether a subject may buy a service.",
    "backup": "Save the record to a folder.",
    "restore": "Load the record from a backup.",
    "batch": "Check the people of a sheet (CSV or .xlsx).",
    "keys": "Create, list, rotate and revoke keys.",
    "accounts": "Create, list, show, disable and enable accounts.",
    "status": "Show the state of the list and of the cache.",
    "doctor": "Examine the deployment, and show how to mend it.",
    "rebuild": "Build the cache anew and switch to it.",
    "accept-older": "Answer by a list that went back to an older state.",
    "audit": "Verify the stored record.",
    "receipts": "Rotate and withdraw the keys that sign receipts.",
    "verify-receipt": "Verify a receipt, and compare it with a document.",
}
"""The lines of `checker --help`. They stand here, because a command's own text is in its module."""


class Root(Commands):
    """All commands. The module of a command is imported when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and return it; None where there is no command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and summaries of all commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in self.list_commands(ctx)])


@click.group(cls=Root)
@click.version_option(package_name="checker")
def main() -> None:
    """Answers whether a listed judgment defaulter (失信被执行人) may buy a service."""
