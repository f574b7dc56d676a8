"""PgBouncer in transaction mode, before a PostgreSQL that a test owns."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.left_out import program
from tests.support.postgres_server import as_account
from tests.support.running_service import PATIENCE_S, free_port, wait_until

SESSIONS = 3
"""So few sessions, lent in turn, that the transactions of all clients mix."""


class PgBouncer:
    """A pooler, and what may become of it."""

    def __init__(self, command: list[str], url: str) -> None:
        self.url = url
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until connections are taken."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def kill(self) -> None:
        """Kill it without warning."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def _listens(self) -> bool:
        parts = urlsplit(self.url)
        with closing(socket.socket()) as probe:
            return probe.connect_ex((parts.hostname, parts.port)) == 0


@contextmanager
def pgbouncer(
    database_url: str, folder: Path, *, database: str = "postgres", more: str = ""
) -> Iterator[PgBouncer]:
    """Run PgBouncer in front of `database` of a server on TCP."""
    port = free_port()
    file = folder / f"pgbouncer-{port}.ini"
    file.write_text(
        f"""
[databases]
* = host=127.0.0.1 port={urlsplit(database_url).port} dbname={database} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {SESSIONS}
server_round_robin = 1
{more}
""",
        encoding="ascii",
    )
    named = program("pgbouncer")
    assert named is not None
    pooler = PgBouncer(
        as_account([named, str(file)]), f"postgresql://postgres@127.0.0.1:{port}/postgres"
    )
    pooler.start()
    try:
        yield pooler
    finally:
        pooler.kill()
