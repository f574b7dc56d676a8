"""The place of an embedded server: a private folder, its owner, and the path of the socket.

Knows paths and permissions. Must not know the meaning of locks, nor the server in the folder.

A Unix socket's path may have 107 bytes. Some folders have a longer path, or characters with a
meaning in a URL. Then the socket is in `/tmp/embedded-<device>-<number>/`, named by the inode of
the folder's `start.lock`. So every process that names the folder computes the same path. A
folder that was deleted and made anew has another path.
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
    """No embedded server can run here; the message names what to install or change."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The private folder of one server, the folder's owner, and the path of the server's socket."""

    folder: Path
    owner: UnixAccount
    socket: Path

    @classmethod
    def at(cls, folder: Path, socket_name: str) -> Self:
        """Return the place in `folder`; a missing folder is made (0700).

        Raises EmbeddedServerError where the folder is open to others, or belongs to another
        account. root may use the folder of another account, and then acts for the owner: so `sudo`
        works beside a server that runs.
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
        """The file of the server's messages since its last start."""
        return self.folder / "server.log"

    def socket_from(self, folder: Path) -> Path:
        """Return the socket's path for a server whose working folder is `folder`.

        The path is relative, unless the socket is outside of the server's folder. A server removes
        its socket as it ends. With a relative path, a server whose folder was deleted does not
        remove the socket of the server that took its place.
        """
        if self.is_short:
            return self.socket
        return Path(os.path.relpath(self.socket, folder))

    @property
    def is_short(self) -> bool:
        """Whether the socket is in a folder of its own, outside of `folder`."""
        return self.socket.parent != self.folder

    def make_socket_folder(self) -> None:
        """Make the socket's own folder, if it has one; EmbeddedServerError for another's folder."""
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
