"""The stages of a rotation of the encryption key. Each may be repeated, and interrupted anywhere.

    rotate  1. the secrets hold a new key, and every process that runs has learned it
            2. the new key is needed: no process joins without it, and all processes seal with it
            3. all values under older keys are sealed again
    finish  4. PostgreSQL proves that no value is left, and refuses further ones
            5. the older keys are needed no more, and leave the secrets of this machine

The stage of a deployment is read from its tables and its secrets, so nothing else must be kept. One
process rotates at a time (`Lock.ROTATION`).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock
from checker.deployment_secrets import (
    ENCRYPTION_KEY_VARIABLE,
    Secrets,
    are_in_environment,
    read_secrets,
    replace_secrets,
)
from checker.errors import ConfigurationError, Conflict
from checker.operators.action import AT_THE_SERVER, OperatorAction
from checker.operators.operator_log import OperatorLog
from checker.rotation.key_holding import KeyHolding
from checker.rotation.key_use import begin_use, end_use, holders, needed_keys
from checker.rotation.last_values import refuse_older
from checker.rotation.places import SEALED_COLUMNS, SealedColumn
from checker.rotation.sealing_again import ColumnWalk, count_left, seal_column_again
from checker.vault import KEY_BYTES, KEY_NUMBER_MAX, Vault

LOOK_S: Final = 0.5
"""Between two looks at the processes that run."""

ROUNDS_MAX: Final = 3
"""The first round takes nearly everything. The next run takes a value that still comes later."""

PROGRESS_VALUES: Final = 10_000
"""A line of progress every ten seconds or so."""

_TRY_LOCK = text("SELECT pg_try_advisory_lock(:n)")
_NOW = text("SELECT clock_timestamp()")
_OLDER = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < :moment"
)

Report = Callable[[str], None]
"""Gets a sentence for each step."""


class RotationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest key, the values that were sealed again, and those left under an older key.

    `damaged` values, among those left, do not open with any key of the deployment.
    """

    key: int
    sealed_again: int
    left: int
    damaged: int


class Rotation:
    """Replaces the encryption key. `engine` has no bound on statements.

    `wait_s` bounds each wait for other processes.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        vault: Vault,
        keys: KeyHolding,
        log: OperatorLog,
        data_dir: Path,
        environ: Mapping[str, str],
        wait_s: float,
        report: Report,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._keys = keys
        self._log = log
        self._data_dir = data_dir
        self._environ = environ
        self._wait_s = wait_s
        self._report = report

    async def rotate(self) -> RotationResult:
        """Do the stages 1 to 3, from the stage on that the deployment has reached.

        Raises:
            ConfigurationError: the secrets come from the environment and hold no new key, or the
                file cannot be written.
            Conflict: a process lacks the new key, another rotation runs, or there is a key beyond
                the one that the rotation under way brings in.
            Unavailable: PostgreSQL is away.
        """
        with driver_errors():
            async with self._alone():
                number = await self._known()
                action = OperatorAction.ROTATE_ENCRYPTION_KEY
                async with self._log.around(action, str(number), by=AT_THE_SERVER) as logged:
                    await self._use(number)
                    result = await self._seal_all_again(number)
                    logged.details |= msgspec.to_builtins(result)
        return result

    async def finish(self) -> int:
        """Do the stages 4 and 5, and return the number of the key that is left.

        Raises:
            ConfigurationError: the file of the secrets cannot be written.
            Conflict: a value is left under an older key, a process still seals with one, a
                transaction of before is open, or there is no older key.
            Unavailable: PostgreSQL is away, or somebody holds a table all the time.
        """
        with driver_errors():
            async with self._alone():
                await self._keys.renew()
                needed = await self._needed()
                newest = max(needed)
                if len(needed) > 1:
                    action = OperatorAction.END_ENCRYPTION_KEY
                    async with self._log.around(action, str(newest), by=AT_THE_SERVER):
                        await self._prove_last(newest)
                elif min(self._vault.fingerprints) == newest:
                    raise Conflict("there is no older encryption key that could end")
        self._forget_before(newest)
        return newest

    async def _known(self) -> int:
        """Let the secrets hold a new key, if none is on its way; return the new key's number."""
        await self._keys.renew()
        needed, known = await self._needed(), max(self._vault.fingerprints)
        if known > max(needed) and len(needed) > 1:
            raise Conflict("a rotation is under way: finish it before the next begins")
        if known in needed and len(needed) == 1:
            known = self._add_key(known + 1)
            await self._keys.renew()
        return known

    def _add_key(self, number: int) -> int:
        if are_in_environment(self._environ):
            raise ConfigurationError(
                f"the secrets come from the environment and hold no new key: make one"
                f" (openssl rand -base64 32), set {ENCRYPTION_KEY_VARIABLE} to"
                f" {number - 1}:OLD,{number}:NEW for all processes, restart them one after the"
                " other, and run this again"
            )
        if number > KEY_NUMBER_MAX:
            raise ConfigurationError(f"{KEY_NUMBER_MAX} is the last number that a key can have")
        secrets = read_secrets(self._data_dir, self._environ)
        keys = {**secrets.encryption_keys, number: os.urandom(KEY_BYTES)}
        self._replace(secrets, keys)
        self._report(f"the encryption key {number} stands in {self._data_dir}/secrets.json")
        return number

    async def _use(self, number: int) -> None:
        """Wait until every process knows the key, then until every process seals with it."""

        async def lacking() -> Sequence[str]:
            async with self._engine.begin() as connection:
                return await begin_use(connection, self._vault, number)

        if number not in await self._needed():
            await self._until_none(lacking, f"lack the encryption key {number}")
            self._report(f"all processes know the encryption key {number}, and seal with it now")
        await self._keys.renew()
        await self._until_all_seal_with(number)

    async def _until_all_seal_with(self, number: int) -> None:
        async def others() -> Sequence[str]:
            async with self._engine.connect() as connection:
                return [one.node for one in await holders(connection) if one.sealing != number]

        await self._until_none(others, f"do not seal with the encryption key {number}")

    async def _seal_all_again(self, number: int) -> RotationResult:
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
        return RotationResult(
            key=number,
            sealed_again=sealed_again,
            left=sum(walk.left for walk in walks),
            damaged=sum(walk.damaged for walk in walks),
        )

    async def _seal_again(self, column: SealedColumn) -> ColumnWalk:
        reported = 0

        def progress(sealed_again: int) -> None:
            nonlocal reported
            if sealed_again >= reported + PROGRESS_VALUES:
                reported = sealed_again
                self._report(f"{column.name}: {sealed_again} sealed again so far")

        walk = await seal_column_again(self._engine, self._vault, column, progress)
        if walk.sealed_again or walk.left:
            self._report(f"{column.name}: {walk.sealed_again} sealed again, {walk.left} left")
        return walk

    async def _prove_last(self, newest: int) -> None:
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

    async def _until_older_transactions_end(self) -> None:
        """Wait for all transactions that may hold a value of before all processes changed."""
        async with self._engine.connect() as connection:
            moment = (await connection.execute(_NOW)).scalar_one()

        async def older() -> Sequence[str]:
            async with self._engine.connect() as connection:
                count = (await connection.execute(_OLDER, {"moment": moment})).scalar_one()
            return [f"{count} transactions"] if count else []

        await self._until_none(older, "are open since before all processes sealed with the key")

    async def _until_none(self, find: Callable[[], Awaitable[Sequence[str]]], what: str) -> None:
        """Wait until `find` returns nothing. Raises Conflict: it does not within `wait_s`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait_s
        while found := await find():
            if loop.time() >= until:
                raise Conflict(f"{', '.join(found)} {what}: mend this, and run this again")
            await asyncio.sleep(LOOK_S)

    def _forget_before(self, newest: int) -> None:
        secrets = read_secrets(self._data_dir, self._environ)
        kept = {number: key for number, key in secrets.encryption_keys.items() if number >= newest}
        if len(kept) == len(secrets.encryption_keys):
            return
        if are_in_environment(self._environ):
            self._report(f"remove the keys before {newest} from {ENCRYPTION_KEY_VARIABLE}")
            return
        self._replace(secrets, kept)
        self._report(f"{self._data_dir}/secrets.json has the encryption key {newest} alone")

    def _replace(self, secrets: Secrets, keys: Mapping[int, bytes]) -> None:
        replace_secrets(self._data_dir, Secrets(token_key=secrets.token_key, encryption_keys=keys))

    async def _needed(self) -> Mapping[int, str]:
        async with self._engine.connect() as connection:
            return await needed_keys(connection)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the lock of rotations. Raises Conflict: another process holds the lock."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            wanted = {"n": int(Lock.ROTATION)}
            if not (await connection.execute(_TRY_LOCK, wanted)).scalar_one():
                raise Conflict("another process rotates the encryption key at this moment")
            try:
                yield
            finally:
                # Never back to the pool: the lock is the session's.
                await connection.invalidate()
