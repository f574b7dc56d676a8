"""Child processes of a benchmark: starts them, waits for them, and ends them by their id.

Every wait has a limit. A child that was started here is ended here, also after an error.
"""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from loadtest.generator import LOOPBACK

START_SECONDS = 60.0
"""The first start of the embedded servers is the slowest: it makes a database cluster."""

_END_SECONDS = 20.0
_POLL_SECONDS = 0.05
_LOG_TAIL = 2000


IMPORTED = (0, 4)
"""The exit codes of an import: all lines stand, or some were rejected, as in every real list."""


class ChildError(Exception):
    """A child failed or was not ready in time. The text ends with the tail of the child's log."""


class Child:
    """A running child process and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    def wait_until(self, is_so: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait until `is_so` returns true.

        Raises:
            ChildError: the child ended before, or the time is over.
        """
        limit = monotonic() + seconds
        while not is_so():
            if self.process.poll() is not None:
                raise ChildError(f"ended before it was {what}: {self.log_tail()}")
            if monotonic() > limit:
                raise ChildError(f"not {what} within {seconds} s: {self.log_tail()}")
            sleep(_POLL_SECONDS)

    def log_tail(self) -> str:
        """Return the end of the child's output."""
        return self._log.read_text(errors="replace")[-_LOG_TAIL:]


@contextmanager
def started(
    command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a command in a session of its own while the block runs; then end the whole session."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    try:
        yield Child(process, log)
    finally:
        end(process)


def finished(
    command: Sequence[str],
    *,
    seconds: float,
    env: Mapping[str, str] | None = None,
    codes: Collection[int] = (0,),
) -> str:
    """Run a command to its end and return its standard output. `codes` are its good exit codes.

    Raises:
        ChildError: the command failed, or took too long.
    """
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as fault:
        raise ChildError(f"{Path(command[0]).name} took more than {seconds} s") from fault
    if done.returncode not in codes:
        raise ChildError(f"{Path(command[0]).name} failed: {done.stderr[-_LOG_TAIL:]}")
    return done.stdout


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and after a while end its whole session."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_END_SECONDS)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Return whether somebody accepts connections on a port of 127.0.0.1."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def is_well(port: int, path: str) -> bool:
    """Return whether a GET on 127.0.0.1 is answered 200."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def checker_program() -> Path:
    """Return the service's command beside this Python; ChildError where it is not installed."""
    program = Path(sys.executable).parent / "checker"
    if not program.exists():
        raise ChildError("the service is not installed beside this Python")
    return program
