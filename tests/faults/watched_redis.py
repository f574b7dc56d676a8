"""A master of Redis with a replica, and the sentinels that promote the replica.

All want a password. One sentinel of the URL is not there.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from checker.embedded.redis import usual_programs
from tests.support.running_service import free_port, wait_until

PASSWORD = "p#1"
MASTER = "mymaster"
SENTINELS = 3
DOWN_AFTER_MS = 500


class WatchedRedis:
    """The servers, and the URL by which a service finds the master."""

    def __init__(self, ports: list[int], sentinels: list[int], processes: dict[int, Any]) -> None:
        self._ports = ports
        self._sentinels = sentinels
        self._processes = processes
        nobody = free_port()
        hosts = ",".join(f"127.0.0.1:{port}" for port in [nobody, *sentinels])
        own = f"sentinel_password={PASSWORD.replace('#', '%23')}"
        self.url = f"redis+sentinel://:{PASSWORD.replace('#', '%23')}@{hosts}/{MASTER}/0?{own}"

    def kill_master(self) -> None:
        """Kill the master without warning."""
        self._processes[self._ports[0]].kill()

    def is_promoted(self) -> bool:
        """Return whether most sentinels name the former replica as the master."""
        named = [self._named_by(port) for port in self._sentinels]
        return named.count(self._ports[1]) > SENTINELS // 2

    def is_watched(self) -> bool:
        """Return whether each sentinel knows the replica and the other sentinels."""
        known = [self._watched_by(port) for port in self._sentinels]
        return all(
            (each["num-slaves"], each["num-other-sentinels"]) == (1, SENTINELS - 1)
            for each in known
        )

    def _watched_by(self, port: int) -> dict[str, Any]:
        with _client(port) as client:
            found: dict[str, Any] = client.sentinel_master(MASTER)
            return found

    def _named_by(self, port: int) -> int | None:
        with _client(port) as client:
            found: Any = client.sentinel_get_master_addr_by_name(MASTER)
            return None if found is None else int(found[1])


@contextmanager
def watched_redis(folder: Path) -> Iterator[WatchedRedis]:
    """Run a master, its replica and its sentinels."""
    ports = [free_port() for _ in range(2)]
    sentinels = [free_port() for _ in range(SENTINELS)]
    usual = ["--save", "", "--bind", "127.0.0.1", "--requirepass", PASSWORD]
    usual += ["--masterauth", PASSWORD, "--dir", str(folder)]
    with ExitStack() as held:
        processes = {}
        for port in ports:
            replica = ["--replicaof", f"127.0.0.1 {ports[0]}"] if port != ports[0] else []
            processes[port] = _run(held, ["--port", str(port), *usual, *replica])
        for port in sentinels:
            file = folder / f"sentinel-{port}.conf"
            file.write_text(_configuration(port, ports[0], folder), encoding="ascii")
            processes[port] = _run(held, [str(file), "--sentinel"])
        watched = WatchedRedis(ports, sentinels, processes)
        for port in [*ports, *sentinels]:
            wait_until(lambda port=port: _answers(port))
        wait_until(watched.is_watched)
        yield watched


def _configuration(port: int, master: int, folder: Path) -> str:
    quorum = SENTINELS // 2 + 1
    return f"""
bind 127.0.0.1
port {port}
dir {folder}
requirepass "{PASSWORD}"
sentinel sentinel-pass {PASSWORD}
sentinel monitor {MASTER} 127.0.0.1 {master} {quorum}
sentinel auth-pass {MASTER} {PASSWORD}
sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}
sentinel failover-timeout {MASTER} 5000
"""


def _run(held: ExitStack, options: list[str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([next(usual_programs()), *options], stdout=subprocess.DEVNULL)
    held.callback(process.wait)
    held.callback(process.kill)
    return process


def _client(port: int) -> redis.Redis:
    return redis.Redis(port=port, password=PASSWORD, decode_responses=True)


def _answers(port: int) -> bool:
    try:
        with _client(port) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
