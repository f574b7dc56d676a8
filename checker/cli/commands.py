"""The exit codes of all commands, and how an error of the service becomes one of them.

| code | means |
|------|-------|
| 0    | done |
| 1    | the service cannot answer now; try again |
| 2    | wrong usage, wrong input, or a setting that must be corrected first |
| 3    | stored rows contradict each other, or a receipt is not genuine |
"""

import signal
import sys
from typing import Any

import click

from checker.embedded.place import EmbeddedServerError
from checker.errors import CheckerError, InvalidRequest, Unavailable

EXIT_UNAVAILABLE = 1
EXIT_USAGE = 2
EXIT_FAULTS = 3


class Commands(click.Group):
    """A group of commands that print an error of the service in a line, and exit with its code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. At SIGTERM too, the command closes all that it has opened."""
        signal.signal(signal.SIGTERM, _leave)
        try:
            return super().invoke(ctx)
        except (Unavailable, EmbeddedServerError) as error:
            _fail(error, EXIT_UNAVAILABLE)
        except CheckerError as error:
            _fail(error, EXIT_USAGE)


def _fail(error: Exception, code: int) -> None:
    click.echo(f"checker: {error}", err=True)
    if isinstance(error, InvalidRequest):
        for fault in error.faults:
            click.echo(f"  {fault.pointer or '/'}: {fault.detail}", err=True)
    sys.exit(code)


def _leave(signum: int, _frame: object) -> None:
    sys.exit(128 + signum)
