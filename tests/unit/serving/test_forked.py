"""Processes of a server are forked from one that has imported everything, and end with it."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from checker.errors import ConfigurationError
from checker.node.parent import end_with_parent
from checker.serving.forked import call_forked

HERE = "tests.unit.serving.test_forked"
# The main process is killed while its fork lives.
KILLED_BESIDE_A_FORK = f"""
from checker.serving.forked import forked
forked("{HERE}:outlive_nobody", name="fork").start()
input()
"""
KILLED_IN_A_CALL = f"""
from checker.serving.forked import call_forked
call_forked("{HERE}:wait_for_ever")
"""


def has_loaded(module: str) -> bool:
    return module in sys.modules


def refuse() -> None:
    raise ConfigurationError("a setting is wrong")


def outlive_nobody() -> None:
    end_with_parent()
    os.write(sys.stdout.fileno(), b"%d\n" % os.getpid())
    signal.pause()


def wait_for_ever() -> None:
    os.write(sys.stdout.fileno(), b"%d\n" % os.getpid())
    signal.pause()


def import_process() -> int:
    return int(call_forked("os:getppid"))


@pytest.mark.parametrize(
    "module", ["litestar", "sqlalchemy.ext.asyncio", "checker.serving.publishing_process"]
)
def test_a_fork_has_imported_what_a_worker_and_the_publishing_process_need(module):
    assert call_forked(f"{HERE}:has_loaded", module)


def test_a_fork_has_the_environment_of_the_moment_at_which_it_starts(monkeypatch):
    assert call_forked("os:getenv", "CHECKER_TEST_VARIABLE") is None
    monkeypatch.setenv("CHECKER_TEST_VARIABLE", "later")
    assert call_forked("os:getenv", "CHECKER_TEST_VARIABLE") == "later"


def test_an_error_of_a_call_in_a_fork_is_raised_to_the_caller():
    with pytest.raises(ConfigurationError, match="a setting is wrong"):
        call_forked(f"{HERE}:refuse")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_ends_a_server_does_not_end_the_import_process(number):
    before = import_process()
    os.kill(before, number)
    assert import_process() == before


def test_an_import_process_that_was_killed_is_replaced():
    before = import_process()
    os.kill(before, signal.SIGKILL)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert import_process() != before


@pytest.mark.parametrize("program", [KILLED_BESIDE_A_FORK, KILLED_IN_A_CALL])
def test_a_fork_ends_when_the_main_process_is_killed(program):
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as main:
        assert main.stdout is not None
        fork = psutil.Process(int(main.stdout.readline()))
        importing = fork.parent()
        assert importing is not None
        main.kill()
        gone, left = psutil.wait_procs([fork, importing], timeout=30)
    assert (len(gone), left) == (2, [])


def test_nothing_is_imported_from_the_folder_in_which_a_server_is_started(tmp_path):
    program, folder = tmp_path / "bin" / "program.py", tmp_path / "folder"
    program.parent.mkdir()
    program.write_text(
        "from checker.serving.forked import call_forked\n"
        "if __name__ == '__main__':\n"
        "    print(call_forked('os:getcwd'))\n"
    )
    for module in ("checker", "multiprocessing", "msgspec"):
        (folder / module).mkdir(parents=True)
        (folder / module / "__init__.py").write_text("raise SystemExit('a stranger')")
    done = subprocess.run(
        [sys.executable, program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == (f"{folder}\n", 0), done.stderr
