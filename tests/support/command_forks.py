"""Runs commands of `checker` as forks of one process that has imported their modules.

A command alone spends a second on its imports, and the tests run hundreds of commands. So one
process imports the modules once and forks for each command. The fork calls the function of the
console script, with its own arguments, environment, folder and standard streams:

    run_forked ──asks──> process of commands ──fork──> waits for the command, returns its code
                                                             └──fork──> the command

`start_command` of `running_service` runs the console script itself, and so does each server.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO

_REQUEST_BYTES_MAX = 1 << 17
_CODE_BYTES_MAX = 16
_STREAMS = (0, 1, 2)
# The imports of a command happen as it runs. A module that is missing here is imported there.
_MODULES = (
    "checker.accounts.account_keys",
    "checker.checks.checks",
    "checker.cli.accounts",
    "checker.cli.audit",
    "checker.cli.check",
    "checker.cli.feed",
    "checker.cli.follow",
    "checker.cli.keys",
    "checker.cli.main",
    "checker.cli.rebuild",
    "checker.cli.receipts",
    "checker.cli.status",
    "checker.cli.verify_receipt",
    "checker.node.assembly",
    "checker.node.runtime",
)


def run_forked(
    arguments: Sequence[str], environ: Mapping[str, str], typed: str, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `checker` and return its exit code and its output; TimeoutError after `timeout_s`."""
    request = {"arguments": arguments, "environ": dict(environ), "folder": str(Path.cwd())}
    with (
        tempfile.TemporaryFile() as entered,
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as error,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line,
    ):
        entered.write(typed.encode())
        entered.seek(0)
        line.settimeout(timeout_s)
        line.connect(_address())
        streams = [stream.fileno() for stream in (entered, told, error)]
        socket.send_fds(line, [json.dumps(request).encode()], streams)
        code = int(line.recv(_CODE_BYTES_MAX))
        return subprocess.CompletedProcess(
            ["checker", *arguments], code, _written(told), _written(error)
        )


def _written(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@cache
def _address() -> bytes:
    """Start the process of commands and return its address, which the kernel chooses.

    The process ends when its standard input is closed, even by a kill of this process.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind("")
        listener.listen()
        address: bytes = listener.getsockname()
        process = subprocess.Popen(
            # -P: the folder of this file is no place for imports.
            [sys.executable, "-P", __file__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
        )
    atexit.register(process.communicate)
    return address


def _become_a_command(listener: socket.socket) -> None:
    """Fork for each request; return in the forks alone, each of which is to run its command."""
    while select.select([listener, 0], [], [])[0] == [listener]:
        line, _ = listener.accept()
        with line:
            if os.fork() == 0:
                listener.close()
                _wait_for_a_command(line)
                return
    sys.exit()


def _wait_for_a_command(line: socket.socket) -> None:
    """Fork once more; return in the fork. Send its exit code to the caller when it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _, _ = socket.recv_fds(line, _REQUEST_BYTES_MAX, len(_STREAMS))
    command = os.fork()
    if command:
        _, status = os.waitpid(command, 0)
        line.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    for number, stream in zip(_STREAMS, streams, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    request = json.loads(message)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = ["checker", *request["arguments"]]


def _main() -> None:
    for module in _MODULES:
        import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the first of two forks
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        _become_a_command(listener)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - streams of this process
        for number, mode in zip(_STREAMS, "rww", strict=True)
    )
    import_module("checker.cli.entry").run()


if __name__ == "__main__":
    _main()
