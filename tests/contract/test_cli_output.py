"""A command whose output cannot be written, or that is interrupted, ends with one line."""

import os
import re
import signal
import subprocess

import pytest

from checker.cli.endings import ExitCode
from tests.support.running_service import CHECKER, RunningService, plain_environment, start_command

pytestmark = pytest.mark.xdist_group("contract")

BEGUN = re.compile(r'/checker/cli/entry\.py", line \d+, in run')
"""In a traceback: the program has begun, and handles signals."""


@pytest.mark.parametrize("is_full", [True, False])
@pytest.mark.parametrize("command", [("--help",), ("--version",), ("accounts", "list")])
def test_an_output_that_takes_nothing_ends_a_command_with_one_line(
    service: RunningService, command: tuple[str, ...], is_full: bool
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    full = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run(
        [CHECKER, *command],
        stdout=full if is_full else writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=plain_environment() | {"CHECKER_DATA_DIR": str(service.data_dir)},
    )
    os.close(writing)
    os.close(full)
    [line] = done.stderr.splitlines()
    assert done.returncode == ExitCode.NOT_WRITTEN
    assert line.startswith("checker: ")


@pytest.mark.parametrize("after_s", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_prints_no_traceback(
    service: RunningService, after_s: float, number: signal.Signals
) -> None:
    process = start_command(service.data_dir, "audit", "verify")
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _, error = process.communicate(timeout=60)
    if "Traceback" in error and not BEGUN.search(error):
        return  # the interpreter was stopped while it read the program
    assert "Traceback" not in error
    assert process.returncode in {ExitCode.DONE, 128 + number, -number}
    assert len(error.splitlines()) <= 1
