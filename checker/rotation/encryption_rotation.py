"""Replaces the encryption key while the service runs. Each stage may be repeated, and interrupted.

begin   1. the secrets hold a new key, and every process that runs has learned it
        2. the new key is needed: no process joins without it, and all processes seal with it
renew   3. all values under older keys are sealed again
end     4. PostgreSQL proves that no value is left, and refuses further ones
        5. the older keys are needed no more
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.deployment_secrets import ENCRYPTION_KEY_VARIABLE
from checker.errors import Conflict
from checker.rotation.key_holding import KeyHolding
from checker.rotation.key_use import begin_use, end_use, holders, needed_keys
from checker.rotation.last_values import refuse_older
from checker.rotation.new_keys import SecretsOfMachine
from checker.rotation.places import SEALED_COLUMNS, SealedColumn
from checker.rotation.sealing_again import ColumnWalk, count_left, seal_column_again
from checker.rotation.waiting import Report, progress, until_none
from checker.vault import Vault

ROUNDS_MAX: Final = 3
"""The first round takes nearly everything. The next run takes a value that still comes later."""

_NOW = text("SELECT clock_timestamp()")
_OLDER = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < :moment"
)


class SealedAgain(msgspec.Struct, frozen=True, kw_only=True):
    """The values sealed again, and those left under an older key.

    `damaged` values, among those left, do not open with any key of the deployment.
    """

    sealed_again: int
    left: int
    damaged: int


class EncryptionRotation:
    """Replaces the encryption key. `engine` has no bound on statements.

    `wait_s` bounds each wait for other processes.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        vault: Vault,
        keys: KeyHolding,
        secrets: SecretsOfMachine,
        wait_s: float,
        report: Report,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._keys = keys
        self._secrets = secrets
        self._wait_s = wait_s
        self._report = report

    async def known(self) -> int:
        """Let the secrets hold a new key, if none is on its way; return the new key's number.

        Raises:
            ConfigurationError: as `SecretsOfMachine.add`.
            Conflict: there is a key beyond the one that the rotation under way brings in.
        """
        needed, known = await self._needed(), max(self._vault.fingerprints)
        if known > max(needed) and len(needed) > 1:
            raise Conflict("a rotation is under way: finish it before the next begins")
        if known in needed and len(needed) == 1:
            known += 1
            self._secrets.add(ENCRYPTION_KEY_VARIABLE, known)
            await self._keys.renew()
        return known

    async def begin(self, number: int) -> None:
        """Wait until every process knows the key, then until every process seals with it.

        Raises:
            Conflict: a process does not.
        """

        async def lacking() -> Sequence[str]:
            async with self._engine.begin() as connection:
                return await begin_use(connection, self._vault, number)

        if number not in await self._needed():
            what = f"lack the encryption key {number}"
            await until_none(lacking, what, wait_s=self._wait_s)
            self._report(f"all processes know the encryption key {number}, and seal with it now")
        await self._keys.renew()
        await self._until_all_seal_with(number)

    async def renew(self) -> SealedAgain:
        """Walk over all columns until a round finds nothing to seal again.

        A value that a process has sealed before it changed may come behind the first round.
        """
        sealed_again = 0
        for _ in range(ROUNDS_MAX):
            walks = [await self._seal_again(each) for each in SEALED_COLUMNS]
            of_round = sum(walk.sealed_again for walk in walks)
            sealed_again += of_round
            if not of_round:
                break
        return SealedAgain(
            sealed_again=sealed_again,
            left=sum(walk.left for walk in walks),
            damaged=sum(walk.damaged for walk in walks),
        )

    async def to_end(self) -> int | None:
        """Return the number of the newest key if older keys are needed beside it, else None."""
        needed = await self._needed()
        return max(needed) if len(needed) > 1 else None

    async def end(self, newest: int) -> None:
        """Prove that no value is left under an older key, and end the older keys.

        Raises:
            Conflict: a value is left, a process still seals with an older key, or a transaction of
                before is open.
            Unavailable: somebody holds a table all the time.
        """
        await self._until_all_seal_with(newest)
        await self._until_older_transactions_end()
        left = {
            column.name: count
            for column in SEALED_COLUMNS
            if (count := await count_left(self._engine, self._vault, column))
        }
        if left:
            counts = ", ".join(f"{name} {count}" for name, count in left.items())
            raise Conflict(f"values are left under an older key ({counts}): rotate again")
        for column in SEALED_COLUMNS:
            await refuse_older(self._engine, column, newest)
        async with self._engine.begin() as connection:
            await end_use(connection, newest)
        self._report("no value is left under an older key")

    def forget_older(self) -> bool:
        """Take the older keys out of this machine's secrets; return whether any key was older."""
        newest = self._vault.sealing
        self._secrets.forget_before(ENCRYPTION_KEY_VARIABLE, newest)
        return min(self._vault.fingerprints) < newest

    async def _until_all_seal_with(self, number: int) -> None:
        async def others() -> Sequence[str]:
            async with self._engine.connect() as connection:
                return [one.node for one in await holders(connection) if one.sealing != number]

        what = f"do not seal with the encryption key {number}"
        await until_none(others, what, wait_s=self._wait_s)

    async def _seal_again(self, column: SealedColumn) -> ColumnWalk:
        passed = progress(self._report, f"{column.name}: sealed again")
        walk = await seal_column_again(self._engine, self._vault, column, passed)
        if walk.sealed_again or walk.left:
            self._report(f"{column.name}: {walk.sealed_again} sealed again, {walk.left} left")
        return walk

    async def _until_older_transactions_end(self) -> None:
        """Wait for all transactions that may hold a value of before all processes changed."""
        async with self._engine.connect() as connection:
            moment = (await connection.execute(_NOW)).scalar_one()

        async def older() -> Sequence[str]:
            async with self._engine.connect() as connection:
                count = (await connection.execute(_OLDER, {"moment": moment})).scalar_one()
            return [f"{count} transactions"] if count else []

        what = "are open since before all processes sealed with the key"
        await until_none(older, what, wait_s=self._wait_s)

    async def _needed(self) -> Mapping[int, str]:
        async with self._engine.connect() as connection:
            return await needed_keys(connection)
