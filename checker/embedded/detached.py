"""Starts, recognises and signals processes that outlive the process which started them.

Knows Linux: sessions, inherited files, `SO_PEERCRED`, `/proc`. Must not know which server is
started, nor which processes use the server.

A process number in a file proves nothing, because the kernel uses numbers again. So a process is
recognised by two facts of the kernel: the process listens on a socket, and its start time.
"""

import os
import signal
import socket
import struct
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import msgspec

# Nothing of the caller's environment reaches a server: neither secrets nor settings such as
# PGOPTIONS.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_CONNECT_S_MAX = 1.0
_PEER_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))
_FIELDS_BEFORE_START = 19  # of /proc/<pid>/stat, counted after the name (proc(5): field 22)


class UnixAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account that a process runs as.

    `through` is a command that changes to the account and then runs its arguments. Where `through`
    is empty, the process changes by itself and keeps no privilege.
    """

    uid: int
    gid: int
    through: tuple[str, ...] = ()


class UnixProcess(msgspec.Struct, frozen=True, kw_only=True):
    """One process, and no later one of the same number: `started` is in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def listening_on(cls, path: Path) -> Self | None:
        """Return the process that listens on the Unix socket at `path`; None where there is none.

        Return None too for a process of another container. The kernel reports number 0 for such a
        process, and a signal to 0 would reach this very process.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_CONNECT_S_MAX)
            try:
                line.connect(str(path))
            except OSError:
                return None
            peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
            pid: int = _PEER_CREDENTIALS.unpack(peer)[0]
            started = _started(pid) if pid > 0 else None
            return None if started is None else cls(pid=pid, started=started)

    def send(self, number: signal.Signals) -> None:
        """Signal this process; do nothing where it has ended, even if its number is used again."""
        if _started(self.pid) == self.started:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _started(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name may hold spaces and brackets, so fields are counted from its last closing bracket.
    return int(stat.rpartition(b")")[2].split()[_FIELDS_BEFORE_START])


def run(
    argv: Sequence[str],
    *,
    log: Path | None = None,
    account: UnixAccount | None = None,
    keep: int | None = None,
) -> int:
    """Run a program to its end and return its exit code.

    The program has a session of its own, so that Ctrl-C at our terminal does not end it. Its output
    replaces the content of `log`, which then belongs to `account`; without `log` the output is
    dropped. `keep` is the only file descriptor that the program inherits.
    """
    through = account.through if account else ()
    bare = account if account and not account.through else None
    with ExitStack() as files:
        output = files.enter_context(log.open("wb")).fileno() if log else subprocess.DEVNULL
        if log and account:
            os.fchown(output, account.uid, account.gid)
        return subprocess.run(  # noqa: S603 (programs of ours, no shell reads their arguments)
            [*through, *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
            pass_fds=() if keep is None else (keep,),
            user=bare.uid if bare else None,
            group=bare.gid if bare else None,
            extra_groups=() if bare else None,
            check=False,
        ).returncode


def detach(
    argv: Sequence[str], *, log: Path, keep: int, account: UnixAccount | None = None
) -> None:
    """Start a program as a child of init, and return at once.

    The program holds `keep` until it ends, so a lock on `keep` shows whether the program lives.
    """
    run(["/bin/sh", "-c", '"$@" &', "sh", *argv], log=log, account=account, keep=keep)
