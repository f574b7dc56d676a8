"""Verifies that the secrets of a start are those with which the deployment's list was written.

With another token key nobody would be found, and everybody allowed. With another encryption key no
listing could be read. So the first start stores a fingerprint of its keys and a sealed word, and
every later start compares. The key of the journal stands sealed beside them, so that it outlives
the encryption key from which it was derived.
"""

import functools
from collections.abc import Awaitable, Callable

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.login import refused_logins
from checker.database.upgrade import upgrade
from checker.errors import ConfigurationError
from checker.registry.schema import deployment
from checker.registry.sealing import Sealer
from checker.vault import Vault

_PLACE = "deployment.sealed_probe"
_JOURNAL_PLACE = "deployment.sealed_journal_key"
_PROBE = "checker"
_SPENDING = "spending"
"""The place of spending's idempotency keys, as `checker.spending.spending` names it."""


JoinKeys = Callable[[AsyncConnection], Awaitable[None]]
"""Lets the process join the keys of the deployment (`checker.rotation.key_holding`)."""


async def prepare_deployment(
    engine: AsyncEngine,
    sealer: Sealer,
    token_key: str,
    join_keys: JoinKeys,
    *,
    may_begin: bool = True,
) -> None:
    """Upgrade the database, and verify that it was written with these keys.

    The keys are compared before a migration writes with them. A database
    without a deployment gets one if `may_begin`.

    Raises:
        ConfigurationError: the secrets belong to another deployment, PostgreSQL refuses the login,
            or there is no deployment and none may begin.
        Unavailable: PostgreSQL cannot be reached.
    """
    vault = sealer.vault
    first = insert(deployment).values(
        singleton=True, token_key_fingerprint=token_key, sealed_probe=vault.seal(_PROBE, _PLACE)
    )
    with driver_errors(), refused_logins():
        probe = await _probe(engine, token_key)
        if probe is None and not may_begin:
            raise ConfigurationError("DATABASE_URL names a database that holds no deployment")
        digest = functools.partial(sealer.key_digest, _SPENDING)
        await upgrade(engine, digest, functools.partial(_seal, vault, probe))
        async with engine.begin() as connection:
            await connection.execute(first.on_conflict_do_nothing(index_elements=["singleton"]))
            row = (await connection.execute(select(deployment))).one()
            _refuse_other(row.token_key_fingerprint, token_key)
            await join_keys(connection)
            vault.open(row.sealed_probe, _PLACE)
            await _take_journal_key(connection, vault, row.sealed_journal_key)


async def _take_journal_key(
    connection: AsyncConnection, vault: Vault, sealed: bytes | None
) -> None:
    """Give the vault the key of the journal; store the key where no start has stored it yet."""
    if sealed is not None:
        vault.take_journal_key(vault.open_bytes(sealed, _JOURNAL_PLACE))
        return
    vault.begin_journal()
    stored = vault.seal_bytes(vault.journal_key, _JOURNAL_PLACE)
    is_missing = deployment.c.sealed_journal_key.is_(None)
    await connection.execute(update(deployment).where(is_missing).values(sealed_journal_key=stored))


async def _probe(engine: AsyncEngine, token_key: str) -> bytes | None:
    """Return the sealed word of a deployment, b"" where none is stored yet.

    None: the database holds no deployment. Raises ConfigurationError for another's.
    """
    async with engine.connect() as connection:
        if (await connection.execute(text("SELECT to_regclass('deployment')"))).scalar() is None:
            return None
        statement = select(deployment.c.token_key_fingerprint, deployment.c.sealed_probe)
        written = (await connection.execute(statement)).one_or_none()
    if written is None:
        return b""
    _refuse_other(written.token_key_fingerprint, token_key)
    probe: bytes = written.sealed_probe
    return probe


def _seal(vault: Vault, probe: bytes | None, *words: str) -> bytes:
    """Seal for a migration (text, place, row), with a key that is proven to be the deployment's."""
    if probe:
        vault.open(probe, _PLACE)
    return vault.seal(*words)


def _refuse_other(written: str, token_key: str) -> None:
    if written != token_key:
        said = "the database was written with another token key: nobody on its list would be found"
        raise ConfigurationError(said)
