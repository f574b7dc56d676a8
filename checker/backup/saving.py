"""Saves the record of a deployment to a new folder.

Needs PostgreSQL alone: Redis is built from PostgreSQL, and holds nothing that must be saved. A
service may run meanwhile, because the dump is of one snapshot.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.chain import DECISION_CHAIN
from checker.backup.manifest import DUMP, MANIFEST, BackupManifest, file_facts
from checker.backup.private_file import write_private
from checker.backup.programs import find_program, run_program
from checker.config import Config
from checker.database.engine import driver_errors, open_engine
from checker.database.login import refused_logins
from checker.deployment_secrets import SECRETS_FILE, encoded_secrets, load_secrets
from checker.domain.clock import Clock, instant_text
from checker.errors import ConfigurationError
from checker.journal.chain import JOURNAL_CHAIN
from checker.registry.versions import newest_version

_SERVER = text("SELECT current_setting('server_version_num')::int / 10000")
_SNAPSHOT = text("SELECT pg_export_snapshot()")
_HAS_DEPLOYMENT = text("SELECT to_regclass('deployment') IS NOT NULL")
_DEPLOYMENT = text(
    "SELECT token_key_fingerprint, (SELECT version_num FROM alembic_version) FROM deployment"
)


async def save_backup(
    config: Config, environ: Mapping[str, str], folder: Path, clock: Clock, *, with_keys: bool
) -> BackupManifest:
    """Save the record to `folder`, which is made; return the manifest.

    The folder appears under its name when it is whole. `with_keys` saves the two keys too: then
    the backup opens every name and number that it holds.

    Raises:
        ConfigurationError: the folder exists, the database holds no deployment, or there is no
            pg_dump that fits.
        Unavailable: PostgreSQL is away, or pg_dump fails.
        OSError: the folder cannot be written.
    """
    partial = _begun(folder)
    try:
        manifest = await _save(config, environ, partial, clock, with_keys=with_keys)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


async def _save(
    config: Config, environ: Mapping[str, str], folder: Path, clock: Clock, *, with_keys: bool
) -> BackupManifest:
    assert config.database_url is not None
    with driver_errors(), refused_logins():
        async with (
            open_engine(config.database_url, timeout_s=None, pool_size=1) as engine,
            engine.connect() as connection,
        ):
            await connection.execution_options(isolation_level="REPEATABLE READ")
            facts = await _facts(connection, clock)
            snapshot = (await connection.execute(_SNAPSHOT)).scalar_one()
            # The snapshot lasts as long as this transaction.
            await asyncio.to_thread(_dump, config.database_url, folder, facts.postgres, snapshot)
    if with_keys:
        secrets = encoded_secrets(load_secrets(config.data_dir, environ))
        write_private(folder / SECRETS_FILE, secrets)
    return _finished(folder, facts)


def _begun(folder: Path) -> Path:
    """Return a new folder beside `folder`, which is renamed when it is whole."""
    if folder.exists():
        raise ConfigurationError(f"{folder} exists already: a backup is a folder of its own")
    partial = folder.with_name(f"{folder.name}.partial")
    # An earlier try that was killed may have left its folder.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    return partial


def _finished(folder: Path, facts: BackupManifest) -> BackupManifest:
    """Write the manifest of a folder that has all files, and return it."""
    files = {path.name: file_facts(path) for path in sorted(folder.iterdir())}
    manifest = msgspec.structs.replace(facts, files=files)
    write_private(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


async def _facts(connection: AsyncConnection, clock: Clock) -> BackupManifest:
    """Return the manifest without its files.

    The first statement takes the snapshot to which all later statements belong.
    """
    if not (await connection.execute(_HAS_DEPLOYMENT)).scalar_one():
        raise ConfigurationError("the database holds no deployment, so there is nothing to save")
    token_key, revision = (await connection.execute(_DEPLOYMENT)).one()
    heads = [await chain.read_head(connection) for chain in (DECISION_CHAIN, JOURNAL_CHAIN)]
    return BackupManifest(
        made_at=instant_text(clock.now()),
        program=version("checker"),
        postgres=(await connection.execute(_SERVER)).scalar_one(),
        revision=revision,
        token_key=token_key,
        list=await newest_version(connection),
        head=",".join(f"{head.number}:{head.digest.hex()}" for head in heads),
        files={},
    )


def _dump(url: str, folder: Path, postgres: int, snapshot: str) -> None:
    program = find_program("pg_dump", least=postgres, wanted=postgres)
    file = folder / DUMP
    # The file is made here, because pg_dump would let others read it.
    write_private(file)
    arguments = ["--format=custom", "--no-owner", "--no-privileges"]
    run_program(program, [*arguments, f"--snapshot={snapshot}", f"--file={file}"], url)
    with file.open("rb") as written:
        os.fsync(written.fileno())
