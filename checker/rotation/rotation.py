"""Replaces both keys of a deployment while it runs: the encryption key and the token key.

`checker.rotation.encryption_rotation` and `checker.rotation.token_rotation` have the stages. The
stage of a deployment is read from its tables and its secrets, so nothing else must be kept. One
process rotates at a time (`Lock.ROTATION`).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.database.engine import driver_errors
from checker.database.locks import Lock
from checker.errors import Conflict
from checker.operators.action import AT_THE_SERVER, OperatorAction
from checker.operators.operator_log import OperatorLog
from checker.rotation.encryption_rotation import EncryptionRotation
from checker.rotation.key_holding import KeyHolding
from checker.rotation.new_keys import SecretsOfMachine
from checker.rotation.token_rotation import TokenRotation
from checker.rotation.waiting import Report
from checker.vault import Vault

_TRY_LOCK = text("SELECT pg_try_advisory_lock(:n)")


class RotationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest keys, and what was stored under them.

    `key` is the encryption key, with the values sealed again, and those left under an older key.
    `damaged` values, among those left, do not open with any key of the deployment. `token_key` is
    the token key, with the rows whose tokens were copied.
    """

    key: int
    sealed_again: int
    left: int
    damaged: int
    token_key: int
    copied: int


class EndedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that are left: the encryption key and the token key."""

    key: int
    token_key: int


class Rotation:
    """Replaces both keys. `engine` has no bound on statements.

    `wait_s` bounds each wait for other processes.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        cache: StandingCache,
        vault: Vault,
        token_keys: TokenKeys,
        keys: KeyHolding,
        log: OperatorLog,
        data_dir: Path,
        environ: Mapping[str, str],
        wait_s: int,
        report: Report,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._token_keys = token_keys
        self._keys = keys
        self._log = log
        secrets = SecretsOfMachine(data_dir, environ, report)
        self._encryption = EncryptionRotation(
            engine=engine,
            vault=vault,
            keys=keys,
            secrets=secrets,
            wait_s=wait_s,
            report=report,
        )
        self._tokens = TokenRotation(
            engine=engine,
            cache=cache,
            token_keys=token_keys,
            keys=keys,
            secrets=secrets,
            wait_s=wait_s,
            report=report,
        )

    async def rotate(self) -> RotationResult:
        """Bring in new keys, and store everything under them; go on from the stage reached.

        Raises:
            ConfigurationError: the secrets come from the environment and hold no new key, or the
                file cannot be written.
            Conflict: a process lacks a new key, another rotation runs, somebody holds a table all
                the time, or there is a key beyond the one that the rotation under way brings in.
            Unavailable: PostgreSQL is away.
        """
        with driver_errors():
            async with self._alone():
                await self._keys.renew()
                number = await self._encryption.known()
                token_number = await self._tokens.known()
                action = OperatorAction.ROTATE_ENCRYPTION_KEY
                async with self._log.around(action, str(number), by=AT_THE_SERVER) as logged:
                    await self._encryption.begin(number)
                    sealed = await self._encryption.renew()
                    logged.details |= msgspec.to_builtins(sealed)
                action = OperatorAction.ROTATE_TOKEN_KEY
                async with self._log.around(action, str(token_number), by=AT_THE_SERVER) as logged:
                    await self._tokens.begin(token_number)
                    copied = await self._tokens.renew(token_number)
                    logged.details["copied"] = copied
        return RotationResult(
            key=number,
            sealed_again=sealed.sealed_again,
            left=sealed.left,
            damaged=sealed.damaged,
            token_key=token_number,
            copied=copied,
        )

    async def finish(self) -> EndedKeys:
        """End the older keys, and return the numbers of those that are left.

        Raises:
            ConfigurationError: the file of the secrets cannot be written.
            Conflict: something is stored under an older key, a process still seals with one, a
                transaction of before is open, or there is no older key.
            Unavailable: a store is away, or somebody holds a table all the time.
        """
        with driver_errors():
            async with self._alone():
                await self._keys.renew()
                token_key = await self._tokens.to_end()
                if (key := await self._encryption.to_end()) is not None:
                    action = OperatorAction.END_ENCRYPTION_KEY
                    async with self._log.around(action, str(key), by=AT_THE_SERVER):
                        await self._encryption.end(key)
                if token_key is not None:
                    action = OperatorAction.END_TOKEN_KEY
                    async with self._log.around(action, str(token_key), by=AT_THE_SERVER):
                        await self._tokens.end(token_key)
        # A try before may have ended both keys, and failed to write the file.
        were_older = [self._encryption.forget_older(), self._tokens.forget_older()]
        if (key, token_key) == (None, None) and not any(were_older):
            raise Conflict("there is no older key that could end")
        return EndedKeys(key=self._vault.sealing, token_key=self._token_keys.current.number)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the lock of rotations. Raises Conflict: another process holds the lock."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            wanted = {"n": int(Lock.ROTATION)}
            if not (await connection.execute(_TRY_LOCK, wanted)).scalar_one():
                raise Conflict("another process rotates the keys at this moment")
            try:
                yield
            finally:
                # Never back to the pool: the lock is the session's.
                await connection.invalidate()
