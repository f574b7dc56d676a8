"""Keeps one process at the keys of the deployment, while the process runs.

Every `RENEW_S` the process reads its secrets again, notes the keys that it holds, and seals with
the newest encryption key that the deployment uses. It changes to another token key by itself
(`checker.database.token_fence`). Secrets of the environment never change. A file may hold a
new key, which the process learns without a restart.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token_key import TokenKeys
from checker.database.engine import driver_errors
from checker.deployment_secrets import Secrets
from checker.errors import ConfigurationError
from checker.rotation.key_use import adopt_keys, forget_silent, leave, note
from checker.rotation.token_key_use import adopt_token_keys, shown_token_key
from checker.vault import Vault
from checker.work import Work

RENEW_S: Final = 2.0
"""One small statement. A rotation waits for two rounds of every process."""

ReadSecrets = Callable[[], Secrets]
"""Returns the secrets as they stand now; raises ConfigurationError."""


class KeyHolding:
    """The keys of one process. `engine` has no bound on statements, and is behind the gate."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        vault: Vault,
        token_keys: TokenKeys,
        node: str,
        read_secrets: ReadSecrets,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._token_keys = token_keys
        self._node = node
        self._read_secrets = read_secrets
        self._has_joined = False

    @property
    def work(self) -> Work:
        """Look again and again; the end of the process is noted."""
        return Work(
            name="holding the encryption keys",
            every_s=RENEW_S,
            do=self._round,
            at_end=self._leave,
        )

    async def join(self, connection: AsyncConnection) -> None:
        """Join the deployment, in the caller's transaction.

        Raises:
            ConfigurationError: the process lacks a key that is needed, or has another key of its
                number.
        """
        await adopt_keys(connection, self._vault)
        await adopt_token_keys(connection, self._token_keys)
        await forget_silent(connection)
        await note(connection, self._vault, self._node, self._shown_token_keys())
        self._has_joined = True

    async def renew(self) -> None:
        """Read the secrets again, note the keys, and seal with the newest key.

        Raises:
            ConfigurationError: the secrets cannot be read, or lack the newest key; the keys that
                are held are noted all the same.
            Unavailable: PostgreSQL is away.
        """
        fault: ConfigurationError | None = None
        try:
            secrets = self._read_secrets()
            self._vault.learn(secrets.encryption_keys)
            self._token_keys.learn(secrets.token_keys)
        except ConfigurationError as error:
            fault = error
        except ValueError as error:
            fault = ConfigurationError(str(error))
        newest = await self._note()
        if newest != self._vault.sealing and newest in self._vault.fingerprints:
            self._vault.seal_with(newest)
            newest = await self._note()
        if newest not in self._vault.fingerprints:
            fault = ConfigurationError(
                f"the encryption key {newest} is needed, and the secrets lack it"
            )
        if fault is not None:
            raise fault

    async def _note(self) -> int:
        with driver_errors():
            async with self._engine.begin() as connection:
                return await note(connection, self._vault, self._node, self._shown_token_keys())

    def _shown_token_keys(self) -> list[str]:
        return [shown_token_key(*each) for each in self._token_keys.fingerprints.items()]

    async def _round(self) -> None:
        if self._has_joined:
            await self.renew()

    async def _leave(self) -> None:
        if self._has_joined:
            with driver_errors():
                async with self._engine.begin() as connection:
                    await leave(connection, self._node)
