"""Where an embedded server lives: a private folder, its owner, and a socket path that fits.

Knows paths and permissions. Must not know what locks mean, nor what runs in the folder.

A Unix socket's path may have 107 bytes. Where the folder's own path is longer, or holds characters
that mean something to a URL, the socket goes to `/tmp/embedded-<device>-<number>/`, named by the
inode of the folder's `start.lock`: every process that names the folder finds it without being told,
and a folder that was deleted and made anew has another one.
"""

import os
import re
import stat
from pathlib import Path
from typing import Self

import msgspec

from checker.embedded.detached import UnixAccount

_PRIVATE = 0o700
_SOCKET_PATH_BYTES_MAX = 107  # sun_path of unix(7), less its closing zero
# Every other character means something to a URL, or to the list of folders that PostgreSQL reads.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./~-]+")
# Not tempfile.gettempdir(): processes whose TMPDIR differ must still find one another.
_SHORT_ROOT = Path("/tmp")  # noqa: S108 (the folder made in it is private, and checked to be)


class EmbeddedServerError(Exception):
    """An embedded server cannot be had here; the message says what to install or change."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The private folder of one server, the folder's owner, and the path of the server's socket."""

    folder: Path
    owner: UnixAccount
    socket: Path

    @classmethod
    def at(cls, folder: Path, socket_name: str) -> Self:
        """The place in `folder`, which is made (0700) where it is missing.

        Raises EmbeddedServerError where others may enter it. root may use the folder of somebody
        else (sudo beside a server that runs), and then acts for the owner; nobody else may.
        """
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        folder = folder.resolve()
        found = folder.stat()
        if stat.S_IMODE(found.st_mode) & 0o077 or os.geteuid() not in {0, found.st_uid}:
            raise EmbeddedServerError(f"{folder} must be yours and closed to others (chmod 700).")
        socket = folder / socket_name
        if len(os.fsencode(socket)) > _SOCKET_PATH_BYTES_MAX or not _PLAIN_PATH.fullmatch(
            str(socket)
        ):
            socket = _SHORT_ROOT / f"embedded-{_identity(folder)}" / socket_name
        owner = UnixAccount(uid=found.st_uid, gid=found.st_gid)
        return cls(folder=folder, owner=owner, socket=socket)

    @property
    def log(self) -> Path:
        """What the server wrote since its last start."""
        return self.folder / "server.log"

    def socket_from(self, folder: Path) -> Path:
        """The socket's path as a server that works in `folder` should know it.

        Relative where that is short, so that a server whose folder was deleted meanwhile does not,
        as it ends, remove the socket of the one that took its place.
        """
        if self.is_short:
            return self.socket
        return Path(os.path.relpath(self.socket, folder))

    @property
    def is_short(self) -> bool:
        """Whether the socket is in a folder of its own, outside of `folder`."""
        return self.socket.parent != self.folder

    def make_socket_folder(self) -> None:
        """Make the socket's own folder where it has one; EmbeddedServerError if it is not ours."""
        if not self.is_short:
            return
        folder = self.socket.parent
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        found = folder.lstat()
        if os.geteuid() == 0 == found.st_uid:
            os.chown(folder, self.owner.uid, self.owner.gid, follow_symlinks=False)
            found = folder.lstat()
        if found.st_uid != self.owner.uid or found.st_mode != stat.S_IFDIR | _PRIVATE:
            raise EmbeddedServerError(f"{folder} belongs to somebody else; it must be removed.")


def _identity(folder: Path) -> str:
    lock = folder / "start.lock"
    lock.touch(mode=0o600)
    found = lock.stat()
    return f"{found.st_dev:x}-{found.st_ino:x}"
