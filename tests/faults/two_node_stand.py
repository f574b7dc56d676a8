"""The stand: two nodes, and their wires to a Redis and a PostgreSQL of the test's own.

The servers are started once; all faults befall them one after the other.
"""

import importlib.util
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.faults.shaken_postgres import ShakenPostgres
from tests.faults.shaken_redis import ShakenRedis
from tests.faults.wires import Wire, Wires, wires
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    CHECKER,
    PATIENCE_S,
    TOWN_SETTINGS,
    RunningService,
    free_port,
    plain_environment,
    wait_until_healthy,
)

VOLUME_BYTES = 1 << 30
MERCHANTS = 2


@dataclass
class Node:
    """One server of the deployment, with a wire of its own to each store."""

    service: RunningService
    to_redis: Wire
    to_postgres: Wire

    def processes(self) -> list[psutil.Process]:
        """Return the processes below the main one: workers, the publishing process, imports."""
        return psutil.Process(self.service.pid).children(recursive=True)

    def holder_of(self, port: int) -> psutil.Process | None:
        """Return the process whose end of a connection has this port."""
        for process in self.processes():
            try:
                held = process.net_connections(kind="tcp")
            except psutil.Error:
                continue
            if any(each.laddr.port == port for each in held):
                return process
        return None

    def listener(self) -> psutil.Process | None:
        """Return the worker; None while there is none."""
        port = self.service.address[1]
        for process in self.processes():
            try:
                held = process.net_connections(kind="tcp")
            except psutil.Error:
                continue
            if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in held):
                return process
        return None


@dataclass
class Stand:
    """All parts of the stand. `volume` is a small file system that holds every file, if any."""

    redis: ShakenRedis
    postgres: ShakenPostgres
    nodes: tuple[Node, Node]
    lines: Wires
    folder: Path
    volume: Path | None
    seed: int
    clock_file: Path
    load: Any = None

    @property
    def keys(self) -> Mapping[str, str]:
        return self.nodes[0].service.keys

    def faults_logged(self) -> list[str]:
        """Return the lines of both logs that name a fault of ours."""
        lines = [line for node in self.nodes for line in node.service.log().splitlines()]
        return [line for line in lines if "Traceback" in line or "unexpected" in line]

    @property
    def wires(self) -> list[Wire]:
        return [wire for node in self.nodes for wire in (node.to_redis, node.to_postgres)]


def faketime_library() -> Path | None:
    """Return the library that steps the clock of a process; None where it is not installed."""
    wheel = importlib.util.find_spec("libfaketime")
    if wheel is None or wheel.origin is None:
        return None
    found = Path(wheel.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    return found if found.exists() else None


@contextmanager
def stand(seed: int) -> Iterator[Stand]:
    """Start everything, and make the keys."""
    with private_folder() as folder, _volume(folder) as volume, ExitStack() as stack:
        lines = stack.enter_context(wires())
        redis = ShakenRedis(folder / "redis")
        redis.start()
        stack.callback(redis.end)
        postgres = ShakenPostgres(folder)
        stack.callback(postgres.end)
        clock = folder / "clock"
        nodes = []
        for number in range(2):
            to_redis = lines.add(redis.socket, seed + number)
            to_postgres = lines.add(postgres.socket, seed + number)
            stepped = _stepped(clock) if number == 0 else {}
            environ = _environ(folder, to_redis, to_postgres) | stepped
            service = stack.enter_context(running_node(folder, number, environ))
            nodes.append(Node(service, to_redis, to_postgres))
        first, second = nodes
        make_keys(first, second)
        yield Stand(redis, postgres, (first, second), lines, folder, volume, seed, clock)
        for wire in (wire for node in nodes for wire in (node.to_redis, node.to_postgres)):
            wire.heal()


def make_keys(first: Node, second: Node) -> None:
    """Make the keys of all callers, which are the same on both nodes."""
    kinds = {f"merchant {place}": "institution" for place in range(MERCHANTS)}
    roles = {role: role for role in ("institution", "court", "operator")} | kinds
    first.service.make_keys(
        {name: ("--role", role, "--quota", "10000000") for name, role in roles.items()}
    )
    second.service.keys = first.service.keys


def _environ(folder: Path, to_redis: Wire, to_postgres: Wire) -> dict[str, str]:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return {
        "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}",
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{to_postgres.port}/postgres",
        # So that counts of the workers are on the small volume too.
        "TMPDIR": str(scratch),
    }


def _stepped(clock: Path) -> dict[str, str]:
    library = faketime_library()
    if library is None:
        return {}
    clock.write_text("+0", encoding="ascii")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


@contextmanager
def _volume(folder: Path) -> Iterator[Path | None]:
    """Mount a small file system on the folder, where this user may."""
    if os.geteuid() != 0:
        yield None
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_BYTES},mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def running_node(folder: Path, number: int, environ: Mapping[str, str]) -> Iterator[RunningService]:
    port = free_port()
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700, exist_ok=True)
    settings = folder / "settings.toml"
    settings.write_text(TOWN_SETTINGS, encoding="utf-8")
    service = RunningService(f"http://127.0.0.1:{port}", data_dir, folder / f"node-{number}.log")
    service.named = environ
    command = [CHECKER, "serve", "--port", str(port), "--data-dir", str(data_dir)]
    command += ["--config", str(settings), "--workers", "1"]
    with service.log_file.open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=plain_environment() | environ
        )
    service.pid = process.pid
    try:
        wait_until_healthy(service, process)
        yield service
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
