"""A server in a process of its own on embedded stores, and the commands that run beside it.

Knows the command line and HTTP alone.
"""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from tests.support.command_forks import run_forked
from tests.support.documented import refuse_undocumented
from tests.support.postgres_template import place_upgraded_data
from tests.support.token_keys import place_secrets
from tests.support.town import MARKS

CHECKER = str(Path(sys.executable).with_name("checker"))
PATIENCE_S = 60.0
LOOK_S = 0.05
_NO_STORES: Mapping[str, str] = {}
ROLES = ("institution", "court", "operator", "auditor")

TOWN_SETTINGS = """
[jurisdiction.CN]
high_school_fee_fen = 6_000_000
high_premium_fen = 1_000_000
resort_cap_fen = 200_000
resort_cap_period = "month"

[notices]
allow_http = true
allow_private_addresses = true
"""

SETTINGS = f"""{TOWN_SETTINGS}
[redis]
timeout_ms = 2_000

[postgresql]
timeout_ms = 5_000
"""
"""On a busy machine a store may stand still for longer than a sale may wait."""

OUTAGE_SETTINGS = f"""{TOWN_SETTINGS}
[redis]
timeout_ms = 250
"""
"""For tests in which a store is away: nobody waits for it for long."""


class RunningService:
    """A server that runs, its address, its log and its data directory."""

    def __init__(self, url: str, data_dir: Path, log_file: Path) -> None:
        self.url = url
        self.data_dir = data_dir
        self.log_file = log_file
        self.pid = 0
        self.keys: dict[str, str] = {}
        self.named: Mapping[str, str] = _NO_STORES

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        assert url.port is not None
        return url.host, url.port

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def client(self, key: str | None = None) -> httpx.Client:
        """A client that refuses an answer with a number or name in it, or without a description."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=30,
            event_hooks={"response": [refuse_marks, refuse_undocumented]},
        )

    def make_keys(self, options: Mapping[str, tuple[str, ...]]) -> None:
        """Make keys, by what they are called here."""
        for name, more in options.items():
            create = ("keys", "create", "--name", name, *more)
            done = run_command(self.data_dir, *create, named=self.named)
            assert done.returncode == 0, done.stderr
            self.keys[name] = done.stdout.strip()


def refuse_marks(response: httpx.Response) -> None:
    """No answer repeats a document number or a name, whatever was asked.

    The API's own document alone shows an example.
    """
    if response.request.url.path == "/openapi.json":
        return
    told = str(response.headers) + response.read().decode(errors="replace")
    found = [mark for mark in MARKS if mark in told]
    assert not found, f"{response.request.url.path} repeats what was sent"


def start_command(data_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the console script itself, which takes a second before it begins."""
    return subprocess.Popen(
        [CHECKER, *arguments, "--data-dir", str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=plain_environment(),
    )


def run_command(
    data_dir: Path, *arguments: str, typed: str = "", named: Mapping[str, str] = _NO_STORES
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    words = (*arguments, "--data-dir", str(data_dir))
    return run_forked(words, plain_environment() | named, typed, PATIENCE_S)


def plain_environment() -> dict[str, str]:
    """An environment in which nothing but the arguments names a deployment."""
    named = ("CHECKER_", "REDIS_URL", "DATABASE_URL", "PROMETHEUS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(named)}
    return kept | {"PYTHONUTF8": "1"}


@contextmanager
def running_service(
    folder: Path,
    command: str = "serve",
    *more: str,
    settings: str | None = None,
    named: Mapping[str, str] = _NO_STORES,
    verify: ssl.SSLContext | None = None,
) -> Iterator[RunningService]:
    """Start `checker serve` or `checker demo`; at the end it leaves nothing running.

    `named`: variables that name stores, which are not embedded then. `verify`: it speaks TLS.
    A `serve` of a new folder finds a database that is upgraded; a `demo` begins with nothing.
    """
    data_dir = folder / "data"
    if command == "serve" and not named and not data_dir.exists():
        data_dir.mkdir(mode=0o700)
        place_upgraded_data(data_dir / "postgres")
    if command == "serve":
        place_secrets(data_dir)
    port = free_port()
    arguments = [CHECKER, command, *more, "--port", str(port), "--data-dir", str(data_dir)]
    if settings is not None:
        file = folder / "settings.toml"
        file.write_text(settings, encoding="utf-8")
        arguments += ["--config", str(file)]
    url = f"{'http' if verify is None else 'https'}://127.0.0.1:{port}"
    service = RunningService(url, data_dir, folder / f"{command}.log")
    service.named = named
    with service.log_file.open("wb") as log:
        process = subprocess.Popen(
            arguments, stdout=log, stderr=subprocess.STDOUT, env=plain_environment() | named
        )
    service.pid = process.pid
    try:
        wait_until_healthy(service, process, verify)
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    left = psutil.wait_procs(processes_of(data_dir), timeout=PATIENCE_S)[1]
    assert not left, [found.cmdline() for found in left]


def wait_until_healthy(
    service: RunningService,
    process: subprocess.Popen[bytes],
    verify: ssl.SSLContext | None = None,
) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{service.url}/healthz", verify=verify or True).is_success:
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(service.log())


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again, for as long as a loaded machine may need."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        with suppress(psutil.TimeoutExpired):
            psutil.Process().wait(LOOK_S)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Every process that names the directory on its command line, a child of ours or not."""
    return [
        process
        for process in psutil.process_iter()
        if any(str(data_dir) in word for word in words_of(process))
    ]


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; of one that has ended, nothing."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def printed_keys(log: str) -> dict[str, str]:
    """Return the keys that `checker demo` prints, by role."""
    return dict(re.findall(r"^  (\w+) +(ck_[\w-]{43})$", log, re.MULTILINE))
