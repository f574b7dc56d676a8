"""Keeps bytes that name people for a while: few bytes in memory, more bytes sealed on disk.

The file has no name: it is made without one (`O_TMPFILE`) or loses it at once, so the file ends
with the process in any case. It is sealed with a key of its own that is in memory alone. So nobody
can read it afterwards from a disk, a backup or a core dump, not even with the deployment's keys.

    block n      AES-256-GCM of 256 KiB (the last one: what is left), with its 16-byte tag;
                 the nonce is n, because a key seals one file only

The spool knows nothing of the meaning of the bytes. Each method that may wait for the disk says so.
A caller on an event loop runs such a method in a thread.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MEMORY_BYTES_MAX: Final = 1 << 20
"""Bytes that are kept in memory. Nearly all changes and many lists are smaller."""

FREE_BYTES_MIN: Final = 512 << 20
"""Bytes that a spool leaves free on its disk: PostgreSQL may write to the same disk."""

BLOCK_BYTES: Final = 256 << 10
_TAG_BYTES: Final = 16


def spool_folder(data_dir: Path) -> Path:
    """Return the folder for spools: the data directory, or TMPDIR if that is not writable."""
    return data_dir if os.access(data_dir, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


@contextmanager
def open_sealed_spool(folder: Path) -> Iterator["SealedSpool"]:
    """Open a spool for as long as the context is open."""
    spool = SealedSpool(folder)
    try:
        yield spool
    finally:
        spool.close()


class SealedSpool:
    """Bytes that are written once, and can then be read again and again."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._folder = folder
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._held = bytearray()
        self._file: IO[bytes] | None = None
        self._blocks = 0

    @property
    def is_on_disk(self) -> bool:
        """Whether some of the bytes are on disk."""
        return self._file is not None

    @property
    def is_full(self) -> bool:
        """Whether `flush` must be called before more is written."""
        return len(self._held) > MEMORY_BYTES_MAX

    def write(self, chunk: bytes) -> None:
        """Take bytes into memory; never waits."""
        self._held += chunk
        self.size += len(chunk)

    def flush(self) -> None:
        """Seal whole blocks of what is in memory and put them on disk; waits for the disk.

        Raises:
            OSError: the disk is full or faulty.
        """
        if self._file is None:
            self._file = _nameless(self._folder)
        disk = os.fstatvfs(self._file.fileno())
        if disk.f_bavail * disk.f_frsize < FREE_BYTES_MIN + len(self._held):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole = len(self._held) - len(self._held) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            block = self._seal(bytes(self._held[start : start + BLOCK_BYTES]))
            while block:
                block = block[self._file.write(block) :]
        del self._held[:whole]

    def blocks(self) -> range:
        """Return the numbers of the pieces that `read` returns."""
        return range(self._blocks + bool(self._held))

    def read(self, number: int) -> bytes:
        """Return a piece; waits for the disk.

        Raises:
            OSError: the disk is faulty, or the file was changed.
        """
        if number == self._blocks:
            return bytes(self._held)
        assert self._file is not None, "a block was written"
        size = BLOCK_BYTES + _TAG_BYTES
        sealed = os.pread(self._file.fileno(), size, number * size)
        try:
            return self._cipher.decrypt(_nonce(number), sealed, None)
        except Exception:  # an error of cryptography, which has no text
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from None

    def close(self) -> None:
        """Let the bytes go."""
        self._held.clear()
        if self._file is not None:
            self._file.close()

    def _seal(self, block: bytes) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._blocks), block, None)
        self._blocks += 1
        return sealed


def _nameless(folder: Path) -> IO[bytes]:
    # `close` closes it: a spool lives longer than the call that fills it.
    return tempfile.TemporaryFile(dir=str(folder), buffering=0)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
