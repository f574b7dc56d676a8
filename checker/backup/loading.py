"""Loads the record of a deployment from a backup into a database.

A database that goes back in time lacks changes that were acknowledged. Redis may still name these
changes. They are noted in the loaded database, and nobody is answered by it until an operator
accepts the older list (decision 0048).
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.errors import CacheError
from cache.redis_list_writer import RedisListWriter
from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.backup.manifest import DUMP, BackupManifest, read_manifest
from checker.backup.private_file import write_private
from checker.backup.programs import database_name, find_program, run_program
from checker.config import Config
from checker.database.engine import driver_errors, open_engine
from checker.database.login import refused_logins
from checker.database.token_column import keys_of
from checker.database.upgrade import newest_revision
from checker.deployment_secrets import (
    SECRET_VARIABLES,
    SECRETS_FILE,
    are_in_environment,
    encoded_secrets,
    load_secrets,
)
from checker.domain.clock import Clock
from checker.errors import ConfigurationError
from checker.node.deployment import prepare_deployment
from checker.operators.action import AT_THE_SERVER
from checker.registry.lost_changes import accept_lost, note_lost
from checker.registry.sealing import Sealer
from checker.rotation.key_use import adopt_keys
from checker.rotation.token_key_use import adopt_token_keys
from checker.vault import Vault

ASIDE: Final = "replaced_by_restore_"
"""Schemas that are replaced have names with this beginning until the backup is loaded."""

PUBLIC: Final = "public"
"""The only schema that a dump does not make, because every new database has it."""

_SERVER = text("SELECT current_setting('server_version_num')::int / 10000")
_SCHEMAS = text(
    "SELECT nspname, EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid) AS is_used"
    " FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
)
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'checker' AND pid <> pg_backend_pid()"
)
# Changes after the loading belong to another history, although PostgreSQL did not start anew.
_NEW_RUN = text(
    "UPDATE server_run SET started_at = started_at - interval '1 microsecond'"
    " WHERE started_at = pg_postmaster_start_time()"
)


class LoadedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: the manifest, and the number of changes that Redis knows and the backup lacks.

    `lost_changes` is None where Redis could not be asked. `is_accepted`: the older list was
    accepted at once.
    """

    manifest: BackupManifest
    lost_changes: int | None
    is_accepted: bool


async def load_backup(
    config: Config,
    environ: Mapping[str, str],
    folder: Path,
    clock: Clock,
    *,
    replace: bool,
    accept_older: bool,
) -> LoadedBackup:
    """Load a backup into the database, which is empty unless `replace`.

    Without secrets in the environment and in the data directory, those of the backup are taken.

    Raises:
        ConfigurationError: the backup is damaged, newer than this program, or of other secrets;
            the database is not empty; or the service runs.
        Unavailable: PostgreSQL is away, or pg_restore fails; the database is then as before.
    """
    assert config.database_url is not None
    manifest = read_manifest(folder)
    if manifest.revision > newest_revision():
        raise ConfigurationError("the backup is of a newer program: install that program first")
    sealer, token_keys = _keys(config, environ, folder, manifest)
    with driver_errors(), refused_logins():
        async with open_engine(
            config.database_url, timeout_s=None, pool_size=2, token_keys=token_keys
        ) as engine:
            async with _room(engine, replace=replace) as server:
                await asyncio.to_thread(_load, config.database_url, folder, manifest, server)
            await prepare_deployment(
                engine,
                sealer,
                manifest.token_key,
                functools.partial(_adopt, sealer.vault, token_keys),
                may_begin=False,
            )
            return await _compared(
                engine, config, manifest, sealer.vault, clock, accept_older=accept_older
            )


async def _adopt(vault: Vault, token_keys: TokenKeys, connection: AsyncConnection) -> None:
    await adopt_keys(connection, vault)
    await adopt_token_keys(connection, token_keys)


def _keys(
    config: Config, environ: Mapping[str, str], folder: Path, manifest: BackupManifest
) -> tuple[Sealer, TokenKeys]:
    """Return the keys of the list; take the secrets of the backup where there are no others."""
    own = config.data_dir / SECRETS_FILE
    if not are_in_environment(environ) and not own.exists():
        if SECRETS_FILE not in manifest.files:
            raise ConfigurationError(
                f"the backup has no secrets: put {SECRETS_FILE} into the data directory, or set "
                f"{' and '.join(SECRET_VARIABLES)}"
            )
        write_private(own, encoded_secrets(load_secrets(folder, {})))
    keys = load_secrets(config.data_dir, environ)
    tokenizer = Tokenizer(keys.token_key)
    if tokenizer.fingerprint != manifest.token_key:
        raise ConfigurationError("the backup was made with other secrets than this deployment has")
    sealer = Sealer(tokenizer, Vault(keys.encryption_keys))
    return sealer, TokenKeys(tokenizer, keys.token_keys)


@asynccontextmanager
async def _room(engine: AsyncEngine, *, replace: bool) -> AsyncIterator[int]:
    """Make the database empty, and give the major version of the server.

    Schemas that are replaced come back if the block fails.
    """
    async with engine.begin() as connection:
        server = int((await connection.execute(_SERVER)).scalar_one())
        if (await connection.execute(_OTHERS)).scalar_one():
            raise ConfigurationError("the service uses this database: stop all its processes first")
        used = [name for name, is_used in await connection.execute(_SCHEMAS) if is_used]
        if used and not replace:
            raise ConfigurationError("the database is not empty: --replace gives up its content")
        if used:
            await _move_aside(connection)
    try:
        yield server
    except BaseException:
        async with engine.begin() as connection:
            if used:
                await _bring_back(connection)
        raise
    async with engine.begin() as connection:
        await _drop(connection, await _schemas(connection, is_aside=True))


async def _schemas(connection: AsyncConnection, *, is_aside: bool) -> list[str]:
    """Return the names of the schemas that are aside, or else of those that are in use."""
    names = [name for name, _ in await connection.execute(_SCHEMAS)]
    return [name for name in names if name.startswith(ASIDE) is is_aside]


async def _move_aside(connection: AsyncConnection) -> None:
    # A try that was killed after its loading has left these.
    await _drop(connection, await _schemas(connection, is_aside=True))
    for name in await _schemas(connection, is_aside=False):
        await _rename(connection, name, f"{ASIDE}{name}")
    await connection.execute(text(f"CREATE SCHEMA {PUBLIC}"))


async def _bring_back(connection: AsyncConnection) -> None:
    await _drop(connection, await _schemas(connection, is_aside=False))
    for name in await _schemas(connection, is_aside=True):
        await _rename(connection, name, name.removeprefix(ASIDE))


async def _rename(connection: AsyncConnection, name: str, new_name: str) -> None:
    await connection.execute(text(f'ALTER SCHEMA "{name}" RENAME TO "{new_name}"'))


async def _drop(connection: AsyncConnection, names: Sequence[str]) -> None:
    for name in names:
        await connection.execute(text(f'DROP SCHEMA "{name}" CASCADE'))


def _load(url: str, folder: Path, manifest: BackupManifest, server: int) -> None:
    program = find_program("pg_restore", least=manifest.postgres, wanted=server)
    arguments = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    # Without `--dbname` pg_restore prints the dump, and connects to nothing.
    run_program(program, [*arguments, f"--dbname={database_name(url)}", str(folder / DUMP)], url)


async def _compared(
    engine: AsyncEngine,
    config: Config,
    manifest: BackupManifest,
    vault: Vault,
    clock: Clock,
    *,
    accept_older: bool,
) -> LoadedBackup:
    """Note the changes that Redis knows and the loaded database lacks."""
    assert config.redis_url is not None
    namespace = config.redis.prefix
    writer = RedisListWriter.connect(
        config.redis_url, namespace=namespace, token_keys=keys_of(engine)
    )
    async with engine.begin() as connection, aclosing(writer):
        await connection.execute(_NEW_RUN)
        try:
            head = (await writer.state()).head
            known = [*await writer.recent(), *([] if head is None else [head.position])]
        except CacheError:
            return LoadedBackup(manifest=manifest, lost_changes=None, is_accepted=False)
        lost = await note_lost(connection, known)
        accepted = (
            await accept_lost(connection, vault, clock.now(), by=AT_THE_SERVER)
            if accept_older
            else ()
        )
    return LoadedBackup(manifest=manifest, lost_changes=lost, is_accepted=bool(accepted))
