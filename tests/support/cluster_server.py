"""One server of a test's own Redis cluster, over TCP, and perhaps over TLS too."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError

from tests.support.running_service import PATIENCE_S, free_port, wait_until

NODE_TIMEOUT_MS = 1_000

PORT_MAX = 55_000
"""The port of the cluster's bus is 10 000 higher."""


class ClusterServer:
    """One server of the cluster."""

    def __init__(
        self, folder: Path, program: str, options: tuple[str, ...], tls: Path | None = None
    ) -> None:
        """`tls`: the folder of a certificate; then `service_port` speaks TLS."""
        self.port = _port()
        self.service_port = self.port if tls is None else _port()
        self._tls = tls
        self._program = program
        self.folder = folder / f"node-{self.port}"
        self.folder.mkdir(mode=0o700)
        self._options = options
        self._process: psutil.Popen | None = None
        self.start()

    def start(self) -> None:
        """Start on what the folder says of the cluster, without a key."""
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "save": "",
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(NODE_TIMEOUT_MS),
            "repl-diskless-sync-delay": "0",
            "maxmemory-policy": "noeviction",
        }
        if self._tls is not None:
            settings |= {
                "tls-port": str(self.service_port),
                "tls-cluster": "yes",
                "tls-auth-clients": "no",
                "tls-cert-file": str(self._tls / "tls.pem"),
                "tls-key-file": str(self._tls / "tls.key"),
                "tls-ca-cert-file": str(self._tls / "authority.pem"),
            }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with (self.folder / "log").open("ab") as log:
            self._process = psutil.Popen(
                [self._program, *options, *self._options],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers)

    def kill(self) -> None:
        """Kill the server without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        assert self._process is not None
        self._process.suspend()
        try:
            yield
        finally:
            self._process.resume()

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def ask(self, *words: object) -> Any:
        """Return the reply to one command."""
        with Redis(port=self.port, decode_responses=True, protocol=2) as client:
            client.response_callbacks.clear()
            return client.execute_command(*words)

    def facts(self, section: str) -> dict[str, Any]:
        """Return a section of INFO."""
        with Redis(port=self.port, decode_responses=True) as client:
            found: dict[str, Any] = client.info(section)
            return found

    def id(self) -> str:
        return str(self.ask("CLUSTER MYID"))

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        with suppress(RedisError):
            return bool(self.ask("PING"))
        return False


def _port() -> int:
    """Return a port that leaves room for the port of the cluster's bus."""
    while True:
        port = free_port()
        if port <= PORT_MAX:
            return port
