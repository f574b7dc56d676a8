"""Replaces the token key while the service runs. Each stage may be repeated, and interrupted.

    begin   1. the secrets hold a new key, and every process that runs has learned it
            2. the new key is needed: no process joins without it
    renew   3. further columns get the tokens of the new key (`checker.rotation.token_copy`)
            4. they take the place of the columns in use (`checker.rotation.token_swap`)
            5. their constraints are proved (`checker.rotation.token_constraints`)
            6. the older tokens are erased (`checker.rotation.token_erasure`)
    end     7. the cache is built anew with the new key, by the process that publishes
            8. the older key is needed no more

Nobody needs a person's document for this: a token of the new key is made from the one of the key
before. So persons whose number is kept nowhere keep their sums.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheError
from cache.store import StandingCache
from cache.token_key import FIRST_KEY, TokenKeys
from checker.deployment_secrets import TOKEN_KEY_VARIABLE
from checker.errors import Conflict, Unavailable
from checker.rotation.key_holding import KeyHolding
from checker.rotation.new_keys import SecretsOfMachine
from checker.rotation.token_constraints import close_constraints
from checker.rotation.token_copy import add_columns, build_indexes, copy_tokens
from checker.rotation.token_erasure import erase_old
from checker.rotation.token_key_use import (
    TokenKeyUse,
    begin_token_key,
    end_token_keys,
    token_key_use,
)
from checker.rotation.token_swap import swap
from checker.rotation.token_tables import TOKEN_TABLES, KeyChange
from checker.rotation.waiting import Report, progress, until_none


class TokenRotation:
    """Replaces the token key. `engine` has no bound on statements.

    `wait_s` bounds each wait for other processes.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        cache: StandingCache,
        token_keys: TokenKeys,
        keys: KeyHolding,
        secrets: SecretsOfMachine,
        wait_s: int,
        report: Report,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._token_keys = token_keys
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
        use, known = await self._use(), max(self._token_keys.fingerprints)
        if known > use.newest and len(use.needed) > 1:
            raise Conflict("a rotation is under way: finish it before the next begins")
        if known == use.newest and len(use.needed) == 1:
            known += 1
            self._secrets.add(TOKEN_KEY_VARIABLE, known)
            await self._keys.renew()
        return known

    async def begin(self, number: int) -> None:
        """Wait until every process knows the key. Raises Conflict: a process does not."""

        async def lacking() -> Sequence[str]:
            async with self._engine.begin() as connection:
                return await begin_token_key(connection, self._token_keys, number)

        if number not in (await self._use()).needed:
            await until_none(lacking, f"lack the token key {number}", wait_s=self._wait_s)
            self._report(f"all processes know the token key {number}")

    async def renew(self, number: int) -> int:
        """Put all tokens under the key; return the number of rows that were copied.

        Raises:
            Conflict, Unavailable: somebody holds a table or a row all the time.
        """
        await self._clear()
        copied = 0
        use = await self._use()
        if use.current != number:
            before, after = (self._token_keys.numbered(each) for each in (use.current, number))
            assert before is not None, "the current key is held"
            assert after is not None, "the new key was learned before it became needed"
            change = KeyChange(before=before, after=after)
            for table in TOKEN_TABLES:
                passed = progress(self._report, f"{table.table}: tokens copied")
                await add_columns(self._engine, table)
                rows = await copy_tokens(self._engine, table, change, passed)
                await build_indexes(self._engine, table, self._wait_s)
                rows += await copy_tokens(self._engine, table, change, passed)
                self._report(f"{table.table}: the tokens of {rows} rows copied")
                copied += rows
            await swap(self._engine, change, wait_s=self._wait_s)
            self._token_keys.use(number)
            self._report(f"all tokens stand under the token key {number}")
        await self._clear()
        return copied

    async def to_end(self) -> int | None:
        """Return the number of the current key if older keys are needed beside it, else None.

        Raises:
            Conflict: the newest key is not the current one yet.
        """
        use = await self._use()
        if use.current != use.newest:
            raise Conflict(f"tokens do not stand under the token key {use.newest}: rotate again")
        return use.current if len(use.needed) > 1 else None

    async def end(self, current: int) -> None:
        """Wait until the cache is built with the current key, and end the older keys.

        Raises:
            Conflict: the cache is built with an older key; no process publishes.
            Unavailable: Redis is away.
        """
        fingerprint = self._token_keys.fingerprints[current]

        async def older() -> Sequence[str]:
            try:
                generation = await self._cache.current()
            except CacheError as error:
                raise Unavailable("the cache cannot be looked at") from error
            is_older = generation is not None and generation.token_key != fingerprint
            return ["the cache"] if is_older else []

        await until_none(older, "is built with an older token key", wait_s=self._wait_s)
        async with self._engine.begin() as connection:
            await end_token_keys(connection, current)
        self._report("nothing is stored under an older token key")

    def forget_older(self) -> bool:
        """Take the older keys out of this machine's secrets; return whether any key was older."""
        current = self._token_keys.current.number
        self._secrets.forget_before(TOKEN_KEY_VARIABLE, current)
        further = [each for each in self._token_keys.fingerprints if each != FIRST_KEY]
        return bool(further) and min(further) < current

    async def _clear(self) -> None:
        """Finish what a swap has left: constraints, and older tokens."""
        for table in TOKEN_TABLES:
            await close_constraints(self._engine, table)
        for table in TOKEN_TABLES:
            passed = progress(self._report, f"{table.table}: older tokens erased")
            await erase_old(self._engine, table, passed)

    async def _use(self) -> TokenKeyUse:
        async with self._engine.connect() as connection:
            use = await token_key_use(connection)
        assert use is not None, "the process has joined the deployment"
        return use
