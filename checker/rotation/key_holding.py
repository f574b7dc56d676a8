"""Keeps one process's vault at the keys of the deployment, while the process runs.

Every `RENEW_S` the process reads its secrets again, notes the keys that it holds, and seals with
the newest key that the deployment uses. Secrets of the environment never change. A file may hold a
new key, which the process learns without a restart.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.errors import ConfigurationError
from checker.rotation.key_use import join, leave, note
from checker.vault import Vault
from checker.work import Work

RENEW_S: Final = 2.0
"""One small statement. A rotation waits for two rounds of every process."""

ReadKeys = Callable[[], Mapping[int, bytes]]
"""Returns the encryption keys of the secrets; raises ConfigurationError."""


class KeyHolding:
    """The keys of one process. `engine` has no bound on statements, and is behind the gate."""

    def __init__(
        self, *, engine: AsyncEngine, vault: Vault, node: str, read_keys: ReadKeys
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._node = node
        self._read_keys = read_keys
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
            ConfigurationError: as `checker.rotation.key_use.join`.
        """
        await join(connection, self._vault, self._node)
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
            self._vault.learn(self._read_keys())
        except ConfigurationError as error:
            fault = error
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
                return await note(connection, self._vault, self._node)

    async def _round(self) -> None:
        if self._has_joined:
            await self.renew()

    async def _leave(self) -> None:
        if self._has_joined:
            with driver_errors():
                async with self._engine.begin() as connection:
                    await leave(connection, self._node)
