"""The manifest of a backup: what was saved, of which instant, and the checksum of each file.

A backup is a folder for its owner alone:

    manifest.json    this file; written last, so a folder with a manifest is whole
    database.dump    PostgreSQL's custom format (pg_dump), with the whole database
    secrets.json     the two keys of the deployment, only where that was asked for

`head` has both heads of the record, as `checker audit verify` prints and takes them. All facts and
the dump are of one snapshot of PostgreSQL.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from checker.errors import ConfigurationError
from checker.registry.versions import ListVersion

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"

_BLOCK_BYTES: Final = 1 << 20
_FORMAT: Final = 1


class SavedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of a backup: its size, and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest. `list` is None where no list was taken in yet.

    `revision` is the newest migration that had run. `token_key` is the fingerprint of the key with
    which the list was written.
    """

    format: int = _FORMAT
    made_at: str
    program: str
    postgres: int
    revision: str
    token_key: str
    list: ListVersion | None
    head: str
    files: dict[str, SavedFile]


def file_facts(path: Path) -> SavedFile:
    """Return the size and the checksum of a file."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return SavedFile(size=size, sha256=digest.hexdigest())


def read_manifest(folder: Path) -> BackupManifest:
    """Return the manifest of a backup, after the files were compared with it.

    Raises:
        ConfigurationError: the folder is no backup, or a file is not the one that was saved.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=BackupManifest)
    except (OSError, msgspec.DecodeError):
        raise ConfigurationError(f"{folder} is no backup: it has no readable {MANIFEST}") from None
    if manifest.format != _FORMAT:
        raise ConfigurationError("the backup is of another format than this program reads")
    for name, saved in manifest.files.items():
        path = folder / name
        if Path(name).name != name or not path.is_file() or file_facts(path) != saved:
            raise ConfigurationError(
                f"the backup is damaged: {name} is not the file that was saved"
            )
    return manifest
