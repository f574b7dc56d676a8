"""How all processes of a server log: one line for each event on standard error, JSON or text.

    {"time": "2026-11-23T01:02:03.456Z", "level": "INFO", "logger": "checker.audit.decisions",
     "message": "decision kept", "pid": 4711, "process": "checker worker 1", "decision_id": "0193…",
     "account_id": "…", "service": "rail", "outcome": "deny", "list_version": 42}

The keys after `process` stand in a line where the event has them (`FIELDS`). Other keys that a
library adds to a record are dropped. No part of a request may reach a line:

- of an error, the class and the place are written, and never the text;
- of a message of several lines, the first line is written, because libraries put the texts of
  errors into the other lines.

Lines wait for a thread that writes them, so a slow pipe holds up no answer. Lines past
`WAITING_MAX` are lost; their number is logged as soon as there is room.
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
    "decision_id",
    "account_id",
    "service",
    "outcome",
    "list_version",
    "trace_id",
    "span_id",
)
"""Keys of an event besides its message: words of closed sets and ids, nothing of a person."""

WAITING_MAX: Final = 20_000
"""Twice the lines of the largest batch, all of it refused: some 20 MB in a process."""

CLOSE_S: Final = 2.0
"""How long the end of a process waits for its last lines: a pipe may be stuck for good."""

QUIET: Final = ("alembic", "httpx", "httpcore", "opentelemetry", "urllib3", "uvicorn")
"""Libraries of which only warnings are logged: some log whole URLs."""

_STDERR: Final = 2

_log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """The format of a line: for machines, or for people at a terminal."""

    JSON = "json"
    TEXT = "text"


def keep_log(log_format: LogFormat) -> None:
    """Let this process log from now on, also warnings and errors that nobody caught."""
    logging.config.dictConfig(log_settings(log_format))
    # Else Python writes a line that cannot be written to standard error, with all its content.
    logging.raiseExceptions = False
    warnings.showwarning = _warned
    sys.excepthook = _ended
    threading.excepthook = _ended_in_thread
    sys.unraisablehook = _ended_unraisably


def keep_command_log(log_format: LogFormat) -> None:
    """Let a command log: each line is written at once, because no answer waits for it."""
    written = logging.StreamHandler(sys.stderr)
    written.setFormatter(FORMATTERS[log_format])
    logging.basicConfig(level=logging.INFO, handlers=[written])
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.WARNING)


def log_settings(log_format: LogFormat) -> dict[str, Any]:
    """Return the log's settings for `logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {"lines": {"()": "checker.logs.open_log", "log_format": log_format.value}},
        "root": {"level": "INFO", "handlers": ["lines"]},
        "loggers": {name: {"level": "WARNING"} for name in QUIET},
    }


def open_log(log_format: str) -> "WaitingLines":
    """Return the handler of all loggers; `log_format` is a `LogFormat`."""
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
        """Return the record as it is; the thread formats it, because its values never change."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record, or drop it where too many wait. The caller holds the handler's lock."""
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
        """Write the records that wait, if they can be written; safe to call again."""
        if self._writing.is_alive():
            with suppress(queue.Full):
                self._waiting.put(None, timeout=CLOSE_S)
            self._writing.join(CLOSE_S)
        super().close()

    def _run(self) -> None:
        while (record := self._waiting.get()) is not None:
            # A message that does not fit its arguments, or a pipe that nobody reads any more:
            # there is no other place to log it, and the next line may be written.
            with suppress(Exception):
                self._write(f"{self.format(record)}\n".encode(errors="backslashreplace"))


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
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
        """Return the line of one record."""
        time = instant_text(datetime.fromtimestamp(record.created, UTC))
        head = f"{time} {record.levelname} {record.name}: {_message(record)}"
        return " ".join([head, *(f"{name}={value}" for name, value in _fields(record).items())])


FORMATTERS: Final[Mapping[LogFormat, logging.Formatter]] = {
    LogFormat.JSON: JsonLines(),
    LogFormat.TEXT: TextLines(),
}


@contextmanager
def ending_in_log(work: str) -> Iterator[None]:
    """Log an error that ends the process, and exit; the text of the error is not shown."""
    try:
        yield
    except Exception as error:
        log_end(work, error)
        sys.exit(1)


def log_end(work: str, error: Exception) -> None:
    """Log the error that ends a process; the text of our own errors is safe to log."""
    text = f": {error}" if isinstance(error, CheckerError) else ""
    _log.critical("%s ends: %s%s", work, class_and_place(error), text)


def _write_to_stderr(line: bytes) -> None:
    """Write to the descriptor itself: the end of Python waits for the lock of its own file."""
    left = line
    while left:
        left = left[os.write(_STDERR, left) :]


def _message(record: logging.LogRecord) -> str:
    """Return the first line of a message, with the class and place of its error."""
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
    """Log a warning by class and place; its text may quote a statement's parameters."""
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
