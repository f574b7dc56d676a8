"""The log's lines: what they hold, what they never hold, and that nobody waits for them."""

import io
import json
import logging
import os
import subprocess
import sys
import threading

import pytest

from checker.errors import ConfigurationError
from checker.logs import FORMATTERS, LogFormat, WaitingLines, log_end

NUMBER = "440882189001011230"
BEGINS = """
import logging, threading, warnings
from checker.logs import LogFormat, ending_in_log, keep_log
keep_log(LogFormat.JSON)
"""


class Pipe:
    """Keeps what is written; stuck until it is let go, if it is made so."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.free = threading.Event()
        self.taken = threading.Event()
        self.lines: list[bytes] = []
        self.written = threading.Semaphore(0)
        if not stuck:
            self.free.set()

    def write(self, line: bytes) -> None:
        self.taken.set()
        self.free.wait()
        self.lines.append(line)
        self.written.release()


def log_to(handler: logging.Handler) -> logging.Logger:
    """A logger that nothing else hears."""
    log = logging.getLogger("checker.part")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    return log


def written(log_format: LogFormat, act) -> str:
    """What is written when something is logged, on a logger of its own."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(FORMATTERS[log_format])
    act(log_to(handler))
    return text.getvalue()


def test_a_line_is_one_object_with_its_fields():
    fields = {"decision_id": "D", "account_id": None, "service": "rail", "outcome": "deny"}
    line = written(LogFormat.JSON, lambda log: log.info("kept %d", 1, extra=fields))
    told = json.loads(line)

    assert line.endswith("}\n")
    assert told.pop("time").endswith("Z")
    assert isinstance(told.pop("pid"), int)
    assert told == {
        "level": "INFO",
        "logger": "checker.part",
        "message": "kept 1",
        "process": "MainProcess",
        "decision_id": "D",
        "service": "rail",
        "outcome": "deny",
    }


def test_people_read_the_same_as_text():
    line = written(LogFormat.TEXT, lambda log: log.info("kept", extra={"outcome": "deny"}))

    assert line.endswith("Z INFO checker.part: kept outcome=deny\n")


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_field_that_is_not_known_is_not_written(log_format):
    line = written(log_format, lambda log: log.info("kept", extra={"number": NUMBER}))

    assert NUMBER not in line


@pytest.mark.parametrize("log_format", LogFormat)
def test_of_an_error_class_and_place_are_told_and_never_its_text(log_format):
    def act(log: logging.Logger) -> None:
        try:
            raise ValueError(NUMBER)
        except ValueError:
            log.exception("it failed", stack_info=True)
        log.error("never retrieved\nfuture: ValueError('%s')", NUMBER)

    lines = written(log_format, act).splitlines()

    assert len(lines) == 2
    assert "it failed: ValueError at " in lines[0]
    assert "test_logs.py:" in lines[0]
    assert "never retrieved" in lines[1]
    assert NUMBER not in "".join(lines)


def test_the_text_of_our_own_errors_is_told_where_it_ends_a_process(caplog):
    log_end("the worker", ConfigurationError("mend the setting"))
    log_end("the worker", ValueError(NUMBER))

    assert "mend the setting" in caplog.messages[0]
    assert "ValueError" in caplog.messages[1]
    assert NUMBER not in caplog.text


def test_lines_are_written_in_order_before_the_log_is_closed():
    pipe = Pipe()
    waiting = WaitingLines(pipe.write)
    log = log_to(waiting)
    for number in range(100):
        log.info("%d", number)
    waiting.close()
    waiting.close()

    assert pipe.lines == [b"%d\n" % number for number in range(100)]


def test_whoever_logs_never_waits_for_a_stuck_pipe_and_what_is_lost_is_told():
    pipe = Pipe(stuck=True)
    waiting = WaitingLines(pipe.write, waiting_max=3)
    log = log_to(waiting)
    log.info("taken")
    pipe.taken.wait()
    for number in range(10):
        log.info("%d", number)
    pipe.free.set()
    for _ in range(4):
        pipe.written.acquire()
    log.info("after")
    waiting.close()

    assert pipe.lines == [
        b"taken\n",
        b"0\n",
        b"1\n",
        b"2\n",
        b"7 lines of the log were lost\n",
        b"after\n",
    ]


def test_a_process_ends_though_its_pipe_is_stuck():
    reading, writing = os.pipe()
    acts = "for number in range(5_000): logging.info('line %d', number)"
    try:
        ended = subprocess.run([sys.executable, "-c", BEGINS + acts], stderr=writing, check=False)
    finally:
        os.close(reading)
        os.close(writing)

    assert ended.returncode == 0


def told_by(acts: str) -> list[dict[str, str]]:
    """What a process logs that does these things; whatever it says is a line of the log."""
    ended = subprocess.run(
        [sys.executable, "-c", BEGINS + acts], capture_output=True, text=True, check=False
    )
    assert NUMBER not in ended.stderr + ended.stdout
    assert ended.returncode == 1
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_whatever_warns_or_fails_is_a_line_without_its_text():
    acts = f"""
warnings.warn("{NUMBER}")
thread = threading.Thread(target=int, args=("{NUMBER}x",))
thread.start()
thread.join()
logging.info("%d", "{NUMBER}")
logging.getLogger("httpx").info("{NUMBER}")
int("{NUMBER}x")
"""
    warned, in_thread, ended = [line["message"] for line in told_by(acts)]

    assert warned.startswith("UserWarning at ")
    assert in_thread.startswith("nobody caught ValueError at ")
    assert ended.startswith("nobody caught ValueError at ")


def test_what_ends_a_process_is_told_by_name_of_its_work():
    acts = f"with ending_in_log('the work'): int('{NUMBER}x')"
    [line] = told_by(acts)

    assert (line["level"], line["process"]) == ("CRITICAL", "MainProcess")
    assert line["message"].startswith("the work ends: ValueError at ")
