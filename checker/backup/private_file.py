"""Writes a file for its owner alone, which is on disk when the function returns."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes = b"") -> None:
    """Make a new file of mode 0600. Raises FileExistsError, OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
