"""One server for every process that names the same folder: the first starts it, the last ends it.

Knows locks and the life of a server. Must not know a kind of server: a `ServerProgram` does. Linux
only.

The folder is private (0700). Beside the server's own files it holds:

| file          | lock on it                                                                       |
|---------------|----------------------------------------------------------------------------------|
| `start.lock`  | exclusive, by a user that enters or leaves                                       |
| `users.lock`  | shared, by every user for as long as it uses the server                          |
| `server.lock` | exclusive, inherited by the server and its children: free means all are gone     |

Locks are of the `flock` kind: the kernel frees them however a process ends, so no list of users can
be out of date. A server whose users were all killed is used by the next user and ends with that
user. A server that dies under its users is started again by a user with `revive_s`.
"""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import msgspec

from checker.embedded.detached import UnixProcess
from checker.embedded.place import EmbeddedServerError, Place
from checker.embedded.revival import revived

_START_S_MAX = 60.0
_STOP_S_MAX = 30.0
_POLL_S = 0.01
_TAIL_LINES = 5


class ServerProgram(Protocol):
    """A kind of server that listens on one Unix socket."""

    @property
    def name(self) -> str:
        """The name of the server in messages."""

    @property
    def socket_name(self) -> str:
        """The file name of its socket."""

    @property
    def stop_signals(self) -> Sequence[signal.Signals]:
        """The signals that end the server, gentlest first; the next follows where one fails."""

    def start(self, place: Place, keep: int) -> None:
        """Start the server and return before it answers; called only while none runs in `place`.

        All processes of the server inherit the file descriptor `keep`.
        """

    def answers(self, path: Path) -> bool:
        """Return whether the server serves at `path`; False on any error, within about a second."""

    def url(self, path: Path) -> str:
        """Return the URL that clients connect to, for the socket at `path`."""


@contextmanager
def shared(
    folder: Path,
    program: ServerProgram,
    *,
    revive_s: float | None = None,
    start_s_max: float = _START_S_MAX,
    stop_s_max: float = _STOP_S_MAX,
) -> Iterator[str]:
    """Use the server of `folder` and give the server's URL; a missing folder is made.

    `revive_s`: the pause, in seconds, between two looks whether the server has died. The first user
    that sees a dead server starts it again. None: this user does not look.

    Blocks while the server starts or stops: `start_s_max` seconds, and `stop_s_max` seconds for
    each signal, at most. A process may use one folder several times.
    A fork of the user is no user, and stops nothing.

    Raises EmbeddedServerError where the folder is open to others, or the server does not start,
    answer or stop.
    """
    place = Place.at(folder, program.socket_name)
    with ExitStack() as files:
        use = _Use(
            program=program,
            place=place,
            start=_open(place, "start.lock", files),
            users=_open(place, "users.lock", files),
            server=_open(place, "server.lock", files),
            start_s_max=start_s_max,
            stop_s_max=stop_s_max,
        )
        user, seen = os.getpid(), None
        fcntl.flock(use.start, fcntl.LOCK_EX)
        place.make_socket_folder()
        try:
            use.ensure()
            fcntl.flock(use.users, fcntl.LOCK_SH)
            seen = UnixProcess.listening_on(place.socket)
            fcntl.flock(use.start, fcntl.LOCK_UN)
            with nullcontext() if revive_s is None else revived(program.name, use.revive, revive_s):
                yield program.url(place.socket)
        finally:
            if os.getpid() == user:
                use.leave(seen)


class _Use(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a server: its three lock files, which are open, and the steps under the locks."""

    program: ServerProgram
    place: Place
    start: int
    users: int
    server: int
    start_s_max: float
    stop_s_max: float

    def ensure(self) -> None:
        """Start the server unless it answers already; `start.lock` is held."""
        # A server that serves, or processes left by a user that was killed during a start.
        if not _is_free(self.server):
            if self._comes_to_answer():
                return
            self._end_unresponsive()
        with ExitStack() as files:
            # Opened anew, because a lock belongs to the opening, and the server inherits this one.
            keep = _open(self.place, "server.lock", files)
            fcntl.flock(keep, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.program.start(self.place, keep)
        if not self._comes_to_answer():
            raise EmbeddedServerError(f"{self.program.name} did not start. {_tail(self.place.log)}")

    def revive(self) -> bool:
        """Start the server again if it has died, and return True.

        Return False where the server lives, where another user is entering or leaving, and where
        the folder is another one now. Opens the locks anew, because a thread of its own calls this
        and a lock belongs to the opening.
        """
        with ExitStack() as files:
            try:
                start = _open(self.place, "start.lock", files)
                server = _open(self.place, "server.lock", files)
            except FileNotFoundError:
                return False  # the folder was deleted
            try:
                fcntl.flock(start, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False  # another user enters or leaves, and starts the server
            # A folder that was made anew belongs to another server.
            if not _is_at(self.start, self.place.folder / "start.lock") or not _is_free(server):
                return False
            msgspec.structs.replace(self, start=start, server=server).ensure()
            return True

    def leave(self, seen: UnixProcess | None) -> None:
        """End this use and, if it was the last, the server; `seen` was the server at the start."""
        fcntl.flock(self.start, fcntl.LOCK_EX)
        if not _is_free(self.users):
            return
        # Where the folder was deleted meanwhile, the listener at its path is another server.
        kept = _is_at(self.start, self.place.folder / "start.lock")
        server = (UnixProcess.listening_on(self.place.socket) if kept else None) or seen
        if server is not None:
            self._end(server)
        if kept:
            self.place.socket.unlink(missing_ok=True)
        if self.place.is_short:
            shutil.rmtree(self.place.socket.parent, ignore_errors=True)

    def _comes_to_answer(self) -> bool:
        """Wait until the server answers, and return True; False where it ends or is too slow."""

        def answers_or_gone() -> bool:
            return self.program.answers(self.place.socket) or _is_free(self.server)

        return _until(answers_or_gone, self.start_s_max) and not _is_free(self.server)

    def _end_unresponsive(self) -> None:
        if _is_free(self.server):
            return
        server = UnixProcess.listening_on(self.place.socket)
        if server is None or not _is_free(self.users):
            raise EmbeddedServerError(
                f"{self.program.name} in {self.place.folder} runs, but does not answer."
            )
        self._end(server)

    def _end(self, server: UnixProcess) -> None:
        for number in self.program.stop_signals:
            if _is_free(self.server):
                return
            server.send(number)
            _until(lambda: _is_free(self.server), self.stop_s_max)
        if not _is_free(self.server):
            raise EmbeddedServerError(f"{self.program.name} (process {server.pid}) does not stop.")


def _open(place: Place, name: str, files: ExitStack) -> int:
    """Return the descriptor of a lock file, open until `files` closes; no child inherits it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(place.folder / name, flags, mode=0o600)
    files.callback(os.close, descriptor)
    if os.geteuid() == 0:
        os.fchown(descriptor, place.owner.uid, place.owner.gid)
    return descriptor


def _is_free(lock: int) -> bool:
    """Return whether no other opening holds this lock; a share of this opening is released."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, and return True; False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _tail(log: Path) -> str:
    """Return the last lines of a log, for a message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " / ".join(line.strip() for line in lines[-_TAIL_LINES:])
