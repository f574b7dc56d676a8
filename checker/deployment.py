"""What must not change under a deployment: the keys with which its list was written.

With another token key nobody would be found, and everybody allowed; with another encryption key no
listing could be told. So the first start writes down what its keys make, and every other compares.
"""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.database.login import refused_logins
from checker.database.upgrade import upgrade
from checker.errors import ConfigurationError
from checker.registry.schema import deployment
from checker.vault import Vault

_PLACE = "deployment.sealed_probe"
_PROBE = "checker"


async def prepare_deployment(engine: AsyncEngine, vault: Vault, token_key: str) -> None:
    """Bring the database up to date and make sure that it was written with these keys.

    Raises:
        ConfigurationError: it was not, because the secrets belong to another deployment; or
            PostgreSQL refuses the login.
        Unavailable: PostgreSQL cannot be reached.
    """
    first = insert(deployment).values(
        singleton=True, token_key_fingerprint=token_key, sealed_probe=vault.seal(_PROBE, _PLACE)
    )
    with driver_errors(), refused_logins():
        await upgrade(engine)
        async with engine.begin() as connection:
            await connection.execute(first.on_conflict_do_nothing(index_elements=["singleton"]))
            row = (await connection.execute(select(deployment))).one()
    if row.token_key_fingerprint != token_key:
        text = "the database was written with another token key: nobody on its list would be found"
        raise ConfigurationError(text)
    vault.open(row.sealed_probe, _PLACE)
