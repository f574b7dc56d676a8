"""Verifies that the secrets of a start are those with which the deployment's list was written.

With another token key nobody would be found, and everybody allowed. With another encryption key no
listing could be read. So the first start stores a fingerprint of its keys and a sealed word, and
every later start compares.
"""

import functools

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.database.login import refused_logins
from checker.database.upgrade import upgrade
from checker.errors import ConfigurationError
from checker.registry.schema import deployment
from checker.registry.sealing import Sealer
from checker.vault import Vault

_PLACE = "deployment.sealed_probe"
_PROBE = "checker"
_SPENDING = "spending"
"""The place of spending's idempotency keys, as `checker.spending.spending` names it."""


async def prepare_deployment(
    engine: AsyncEngine, sealer: Sealer, token_key: str, *, may_begin: bool = True
) -> None:
    """Upgrade the database, and verify that it was written with these keys.

    The keys are compared before the upgrade, because a migration writes with them. A database
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
        if not await _is_begun(engine, vault, token_key) and not may_begin:
            raise ConfigurationError("DATABASE_URL names a database that holds no deployment")
        await upgrade(engine, functools.partial(sealer.key_digest, _SPENDING), vault.seal)
        async with engine.begin() as connection:
            await connection.execute(first.on_conflict_do_nothing(index_elements=["singleton"]))
            row = (await connection.execute(select(deployment))).one()
    _refuse_other(row.token_key_fingerprint, token_key)
    vault.open(row.sealed_probe, _PLACE)


async def _is_begun(engine: AsyncEngine, vault: Vault, token_key: str) -> bool:
    """Return whether the database holds a deployment. Raises ConfigurationError for another's."""
    async with engine.connect() as connection:
        if (await connection.execute(text("SELECT to_regclass('deployment')"))).scalar() is None:
            return False
        statement = select(deployment.c.token_key_fingerprint, deployment.c.sealed_probe)
        written = (await connection.execute(statement)).one_or_none()
    if written is not None:
        _refuse_other(written.token_key_fingerprint, token_key)
        vault.open(written.sealed_probe, _PLACE)
    return True


def _refuse_other(written: str, token_key: str) -> None:
    if written != token_key:
        said = "the database was written with another token key: nobody on its list would be found"
        raise ConfigurationError(said)
