"""How a command ends: the exit codes, and the one line that names an error.

The line stands on standard error. With `--json` the line is an object:

    {"error": {"code": "not-found", "detail": "there is no such account", "faults": []}}

An error of the service has the code of its problem over HTTP. The other codes are of `EndingCode`.
No line repeats a document number or a name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from typing import Any, Final

import click
import msgspec

from checker.api.problems import kind_of
from checker.embedded.place import EmbeddedServerError
from checker.errors import (
    CheckerError,
    ConfigurationError,
    Fault,
    InvalidRequest,
    Unavailable,
    UnsupportedMediaType,
)
from checker.fault_log import class_and_place

SHOWN_FAULTS_MAX: Final = 5
"""Faults in a line for people; with `--json` all faults stand in the line."""

_FLAGS: Final = {
    "allow_empty=true": "--allow-empty",
    "allow_shrink=true": "--allow-shrink",
    "allow_rejected=true": "--allow-rejected",
    "Idempotency-Key": "--idempotency-key",
    "If-Match": "--if-match",
}
"""The names that a text of the service has on the command line."""

_UNEXPECTED_ARGUMENT = "Got unexpected extra argument"


class ExitCode(IntEnum):
    """The exit codes of all commands; `docs/problems.md` explains each."""

    DONE = 0
    UNAVAILABLE = 1
    WRONG_INPUT = 2
    FAULTS_FOUND = 3
    PARTLY_DONE = 4
    NOTHING_DONE = 5
    NOT_WRITTEN = 6
    CAP = 10
    REVIEW = 11
    DENY = 12
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class EndingCode(StrEnum):
    """The codes of errors that no problem over HTTP has."""

    USAGE = "usage"
    CONFIGURATION = "configuration"
    EMBEDDED_SERVER = "embedded-server"
    NOT_WRITTEN = "not-written"
    INTERNAL = "internal"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"


class LinesRefused(Exception):
    """A file was refused as a whole, for its lines or its encoding: `refusal` says why."""

    def __init__(self, refusal: InvalidRequest | UnsupportedMediaType) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class CommandEnding(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a command by an error; `faults` are the fields at fault."""

    exit_code: ExitCode
    code: str
    detail: str
    faults: tuple[Fault, ...] = ()

    def line(self, *, as_json: bool) -> str:
        """Return the line for standard error."""
        if as_json:
            error = {"code": self.code, "detail": self.detail, "faults": self.faults}
            return msgspec.json.encode({"error": error}).decode()
        shown = [f"{fault.pointer or '/'}: {fault.detail}" for fault in self.faults]
        left = len(shown) - SHOWN_FAULTS_MAX
        more = [f"… and {left} more"] if left > 0 else []
        return f"checker: {'; '.join([self.detail, *shown[:SHOWN_FAULTS_MAX], *more])}"


INTERRUPTED: Final = CommandEnding(
    exit_code=ExitCode.INTERRUPTED, code=EndingCode.INTERRUPTED, detail="interrupted"
)
TERMINATED: Final = CommandEnding(
    exit_code=ExitCode.TERMINATED, code=EndingCode.TERMINATED, detail="terminated"
)


def exit_code_of_lines(accepted: int, rejected: int) -> ExitCode:
    """Return the exit code of a command that has taken in a file of lines."""
    if not rejected:
        return ExitCode.DONE
    return ExitCode.PARTLY_DONE if accepted else ExitCode.NOTHING_DONE


@contextmanager
def ending_for_refused_lines() -> Iterator[None]:
    """Raise LinesRefused, in the context, if a file is refused for its lines or its encoding."""
    try:
        yield
    except UnsupportedMediaType as refusal:
        raise LinesRefused(refusal) from None
    except InvalidRequest as refusal:
        if not refusal.faults:
            raise
        raise LinesRefused(refusal) from None


def ending_of(error: BaseException) -> CommandEnding:
    """Return the ending of a command that raised `error`.

    An error that no row knows is a bug of the program. Its text may repeat anything, so the ending
    names the class and the place alone.
    """
    match error:
        case KeyboardInterrupt() | click.Abort():
            return INTERRUPTED
        case click.ClickException():
            return _ending(ExitCode.WRONG_INPUT, EndingCode.USAGE, _usage(error))
        case EmbeddedServerError():
            return _ending(ExitCode.UNAVAILABLE, EndingCode.EMBEDDED_SERVER, str(error))
        case ConfigurationError():
            return _ending(ExitCode.WRONG_INPUT, EndingCode.CONFIGURATION, str(error))
        case LinesRefused(refusal=refusal):
            faults = refusal.faults if isinstance(refusal, InvalidRequest) else ()
            code = kind_of(type(refusal)).code
            return _ending(ExitCode.NOTHING_DONE, code, str(refusal), faults)
        case CheckerError():
            is_away = isinstance(error, Unavailable)
            exit_code = ExitCode.UNAVAILABLE if is_away else ExitCode.WRONG_INPUT
            faults = error.faults if isinstance(error, InvalidRequest) else ()
            return _ending(exit_code, kind_of(type(error)).code, str(error), faults)
        case OSError():
            return _ending(ExitCode.NOT_WRITTEN, EndingCode.NOT_WRITTEN, _of_the_system(error))
        case _:
            text = f"a fault of the program: {class_and_place(error)}"
            return _ending(ExitCode.BUG, EndingCode.INTERNAL, text)


def _ending(
    exit_code: ExitCode, code: str, detail: str, faults: tuple[Fault, ...] = ()
) -> CommandEnding:
    # One line, whatever the text holds: a path may hold a line break, or bytes that are no UTF-8.
    line = " ".join(detail.split()).encode(errors="backslashreplace").decode()
    for name, flag in _FLAGS.items():
        line = line.replace(name, flag)
    return CommandEnding(exit_code=exit_code, code=code, detail=line, faults=faults)


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    if text.startswith(_UNEXPECTED_ARGUMENT):
        # A document number may stand where no argument belongs.
        text = f"{_UNEXPECTED_ARGUMENT}."
    context: Any = getattr(error, "ctx", None)
    if context is None:
        return text
    return f"{text} Try '{context.command_path} --help'."


def _of_the_system(error: OSError) -> str:
    if isinstance(error, BrokenPipeError):
        return "nobody reads the output"
    reason = error.strerror or type(error).__name__
    return f"cannot write: {reason}" if error.filename is None else f"{error.filename}: {reason}"
