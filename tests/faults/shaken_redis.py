"""A Redis of a test's own, and each thing that may befall it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import psutil
from redis import Redis
from redis.exceptions import RedisError

from checker.embedded.redis import usual_programs
from tests.faults.faulty_service import frozen
from tests.support.running_service import free_port, wait_until

DUMP = "dump.rdb"


class ShakenRedis:
    """One server on a Unix socket; it saves nothing by itself."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.socket = folder / "redis.sock"
        self._process: psutil.Popen | None = None

    def start(self) -> None:
        """Start on what the folder holds: the dump there, or nothing."""
        self._process = _started(self.folder, self.socket)

    def client(self) -> Redis:
        return Redis(unix_socket_path=str(self.socket))

    def end(self) -> None:
        """Kill it; the dump stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def dead(self) -> Iterator[None]:
        """Dead, and then started again with nothing."""
        self.end()
        (self.folder / DUMP).unlink(missing_ok=True)
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        assert self._process is not None
        with frozen(self._process):
            yield

    @contextmanager
    def emptied(self) -> Iterator[None]:
        with self.client() as client:
            client.flushall()
        yield

    @contextmanager
    def parts_lost(self, draw: Random) -> Iterator[None]:
        """Lose half of all buckets and filter parts, drawn by lot."""
        with self.client() as client:
            for pattern in ("*:b:*", "*:f:*"):
                for key in client.scan_iter(pattern, count=1_000):
                    if draw.random() < 0.5:
                        client.delete(key)
        yield

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Follow a primary that is not there, as a failover by hand may leave it."""
        with self.client() as client:
            client.replicaof("127.0.0.1", "1")
            try:
                yield
            finally:
                client.replicaof("NO", "ONE")

    @contextmanager
    def out_of_memory(self) -> Iterator[None]:
        with self.client() as client:
            client.config_set("maxmemory", "1")
            try:
                yield
            finally:
                client.config_set("maxmemory", "0")

    @contextmanager
    def restarted_with_nothing(self) -> Iterator[None]:
        with self.dead():
            pass
        yield

    def save(self) -> None:
        """Write the dump with which `restarted_with_old_dump` starts."""
        with self.client() as client:
            client.save()

    def restart(self) -> None:
        """Kill it, and start it on its dump."""
        self.end()
        self.start()

    @contextmanager
    def following(self) -> Iterator["ShakenRedis"]:
        """Give a replica that has all that this server has."""
        replica = ShakenRedis(self.folder.with_name("replica"))
        replica.start()
        try:
            with self.client() as mine, replica.client() as client:
                mine.config_set("port", str(free_port()))
                client.replicaof("127.0.0.1", str(mine.config_get("port")["port"]))
                wait_until(lambda: client.info("replication")["master_link_status"] == "up")
            yield replica
        finally:
            replica.end()
            shutil.rmtree(replica.folder)


def _started(folder: Path, socket: Path) -> psutil.Popen:
    settings = {
        "port": "0",
        "bind": "127.0.0.1",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "dbfilename": DUMP,
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "repl-diskless-sync-delay": "0",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    socket.unlink(missing_ok=True)
    log = (folder / "log").open("ab")
    with log:
        process = psutil.Popen(
            [str(next(usual_programs())), *options], stdout=log, stderr=subprocess.STDOUT
        )

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        with suppress(RedisError), Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
        return False

    wait_until(answers)
    return process
