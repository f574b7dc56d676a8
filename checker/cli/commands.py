"""The group of all commands: runs one command, and ends it with its exit code.

An error ends a command with one line on standard error, and never with a traceback
(`checker.cli.endings`).
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import click

from checker.cli.endings import TERMINATED, CommandEnding, ExitCode, ending_of

COMPLETION_VARIABLE: Final = "_CHECKER_COMPLETE"
"""A shell sets this variable to ask for completions."""

_JSON = "--json"


class Commands(click.Group):
    """A group of commands that end with an `ExitCode`, and with one line where that is an error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context_settings["help_option_names"] = ["-h", "--help"]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that `args` name, and raise SystemExit with the exit code.

        click's own `main` runs for completions, and where `standalone_mode` is false.
        """
        if not standalone_mode or COMPLETION_VARIABLE in os.environ:
            return super().main(
                args,
                prog_name,
                complete_var,
                standalone_mode=standalone_mode,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = self._run(words, prog_name or "checker", extra)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = ExitCode.WRONG_INPUT
        except BaseException as error:
            code = _report(ending_of(error), as_json=_JSON in words)
        sys.exit(code)

    def _run(self, words: list[str], name: str, extra: dict[str, Any]) -> int:
        # SIGINT raises KeyboardInterrupt from here on: at both signals a command closes everything
        # that it has opened.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _leave)
        try:
            with self.make_context(name, words, **extra) as context:
                self.invoke(context)
        except click.exceptions.Exit as end:
            return end.exit_code
        except SystemExit as end:
            if end.code == ExitCode.TERMINATED:
                _report(TERMINATED, as_json=_JSON in words)
            return end.code if isinstance(end.code, int) else ExitCode.DONE
        return ExitCode.DONE


def _report(ending: CommandEnding, *, as_json: bool) -> int:
    """Print the line of an ending, and return its exit code."""
    with suppress(OSError):  # standard error may be full too; the exit code remains
        click.echo(ending.line(as_json=as_json), err=True)
    if ending.exit_code is ExitCode.NOT_WRITTEN:
        _drop_output()
    return ending.exit_code


def _drop_output() -> None:
    """Drop the output that could not be written; else Python would complain at its end."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _leave(_signum: int, _frame: object) -> None:
    sys.exit(ExitCode.TERMINATED)
