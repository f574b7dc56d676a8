"""Folders for servers of the tests, in memory where there is room for it.

A database that is made for one test is some hundred files: on a disk that takes a third of a
second, in memory a thirtieth. Files of a killed process are there all the same.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30
"""For all that several workers have at once; a container often has 64 MiB there."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """Give an empty folder of this user's alone, and remove it with what is in it.

    Not pytest's: the path of a Unix socket holds 107 characters at most.
    """
    has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="checker-", dir=IN_MEMORY if has_room else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
