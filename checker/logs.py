"""How all processes of a server log: one line for each event on standard error, JSON or text.

    {"time": "2026-11-23T01:02:03.456Z", "level": "INFO", "logger": "checker.audit.decisions",
     "message": "decision kept", "pid": 4711, "process": "granian-worker", "decision_id": "0193…",
     "account_id": "…", "service": "rail", "outcome": "deny", "list_version": 42}

What follows `process` is there where the event has it (`FIELDS`); whatever else a library adds to a
record is dropped. Nothing that was asked may reach a line: of an error its class and place are told
and never its text, of a message of several lines only the first, for libraries put the texts of
errors into the others.

Lines wait for a thread that writes them, so that a slow pipe keeps no answer waiting. Past
`WAITING_MAX` they are lost, and how many were is told as soon as there is room.
"""

import logging
import logging.config
import os
import queue
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from logging.handlers import QueueHandler
from types import TracebackType
from typing import Any, Final, TextIO

import msgspec

from checker.domain.clock import instant_text
from checker.errors import CheckerError
from checker.fault_log import class_and_place

FIELDS: Final = (
    *("decision_id", "account_id", "service", "outcome", "list_version"),
    *("trace_id", "span_id"),
)
"""What an event may say besides its message: words of closed sets and ids, nothing of a person."""

WAITING_MAX: Final = 20_000
"""Twice the lines of the largest batch, all of it refused: some 20 MB in a process."""

CLOSE_S: Final = 2.0
"""How long an end waits for its last lines to be written: a pipe may be stuck for good."""

QUIET: Final = ("alembic", "httpx", "httpcore", "urllib3", "opentelemetry")
"""Libraries of which only warnings are told: some tell whole URLs."""

_STDERR: Final = 2

_log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """How a line is written: for machines, or for people at a terminal."""

    JSON = "json"
    TEXT = "text"


def keep_log(log_format: LogFormat) -> None:
    """Let this process log from now on, warnings and errors that nobody caught among it."""
    logging.config.dictConfig(log_settings(log_format))
    # Else a line that cannot be written is told on standard error, with all that is in it.
    logging.raiseExceptions = False
    warnings.showwarning = _warned
    sys.excepthook = _ended
    threading.excepthook = _ended_in_thread
    sys.unraisablehook = _ended_unraisably


def keep_command_log(log_format: LogFormat) -> None:
    """Let a command log: each line is written at once, for nobody's answer waits for it."""
    written = logging.StreamHandler(sys.stderr)
    written.setFormatter(FORMATTERS[log_format])
    logging.basicConfig(level=logging.INFO, handlers=[written])
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.WARNING)


def log_settings(log_format: LogFormat) -> dict[str, Any]:
    """Describe the log for `logging.config.dictConfig`, which is how granian wants it told."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {"lines": {"()": "checker.logs.open_log", "log_format": log_format.value}},
        "root": {"level": "INFO", "handlers": ["lines"]},
        # Granian's loggers have handlers of their own unless they are told otherwise.
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIET},
            "_granian": {"level": "WARNING", "handlers": [], "propagate": True},
            # It would tell addresses.
            "granian.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }


def open_log(log_format: str) -> "WaitingLines":
    """Make the handler that all loggers end in; `log_format` is a `LogFormat`."""
    waiting = WaitingLines(_write_to_stderr)
    waiting.setFormatter(FORMATTERS[LogFormat(log_format)])
    return waiting


class WaitingLines(QueueHandler):
    """Hands records to a thread that formats and writes them; never waits itself.

    `write` may block for ever, and holds no lock that the end of the process would wait for.
    """

    def __init__(self, write: Callable[[bytes], object], *, waiting_max: int = WAITING_MAX) -> None:
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(waiting_max)
        super().__init__(self._waiting)
        self._write = write
        self._lost = 0
        self._writing = threading.Thread(target=self._run, name="log", daemon=True)
        self._writing.start()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Leave the work to the thread: what is logged here are texts, numbers and days."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Let a record wait, or lose it. The handler's lock is held."""
        try:
            if self._lost:
                level, text = logging.WARNING, "%d lines of the log were lost"
                told = _log.makeRecord(_log.name, level, "", 0, text, (self._lost,), None)
                self._waiting.put_nowait(told)
                self._lost = 0
            self._waiting.put_nowait(record)
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Write what waits, unless it cannot be written; safe to call again."""
        if self._writing.is_alive():
            with suppress(queue.Full):
                self._waiting.put(None, timeout=CLOSE_S)
            self._writing.join(CLOSE_S)
        super().close()

    def _run(self) -> None:
        while (record := self._waiting.get()) is not None:
            # A message that does not fit its arguments, or a pipe that nobody reads any more:
            # there is no other place to tell it, and the next line may be written.
            with suppress(Exception):
                self._write(f"{self.format(record)}\n".encode(errors="backslashreplace"))


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line = {
            "time": instant_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "pid": record.process,
            "process": record.processName,
            **_fields(record),
        }
        return msgspec.json.encode(line).decode()


class TextLines(logging.Formatter):
    """A record as one line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        time = instant_text(datetime.fromtimestamp(record.created, UTC))
        head = f"{time} {record.levelname} {record.name}: {_message(record)}"
        return " ".join([head, *(f"{name}={value}" for name, value in _fields(record).items())])


FORMATTERS: Final[Mapping[LogFormat, logging.Formatter]] = {
    LogFormat.JSON: JsonLines(),
    LogFormat.TEXT: TextLines(),
}


@contextmanager
def ending_in_log(work: str) -> Iterator[None]:
    """End the process with a line in the log where an error would end it with its text."""
    try:
        yield
    except Exception as error:
        log_end(work, error)
        sys.exit(1)


def log_end(work: str, error: Exception) -> None:
    """Tell what ends a process; the text of our own errors is safe to show."""
    text = f": {error}" if isinstance(error, CheckerError) else ""
    _log.critical("%s ends: %s%s", work, class_and_place(error), text)


def _write_to_stderr(line: bytes) -> None:
    """Write to the descriptor itself: Python's own file has a lock that its end waits for."""
    left = line
    while left:
        left = left[os.write(_STDERR, left) :]


def _message(record: logging.LogRecord) -> str:
    """Give the first line of a message, and the class and place of the error it is about."""
    message = record.getMessage().partition("\n")[0]
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        return f"{message}: {class_and_place(record.exc_info[1])}"
    return message


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Tell a warning by class and place; its text may quote what a statement was given."""
    del message, file, line
    _log.warning("%s at %s:%d", category.__name__, filename, lineno)


def _ended(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    if not isinstance(error, KeyboardInterrupt):
        _log.critical("nobody caught %s", class_and_place(error))


def _ended_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        _ended(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _ended_unraisably(ended: "sys.UnraisableHookArgs") -> None:
    if ended.exc_value is not None:
        _ended(ended.exc_type, ended.exc_value, ended.exc_traceback)
