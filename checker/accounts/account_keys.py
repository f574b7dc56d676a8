"""The keys of an account: made, shown, rotated and revoked.

The service shows a key once, when the key is made. Every change holds on every node within a second
(`checker.accounts.key_ring`). Every change is logged in its transaction, with its author `by`
(`checker.operators`).
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.journaled import journal_key
from checker.accounts.key_states import (
    ACCOUNT_OF_KEYS,
    KEYS_IN_FORCE,
    KEYS_PAGE,
    ONE_KEY,
    KeyState,
    key_state,
)
from checker.accounts.keys import PREFIX, SECRET_BYTES, SHOWN_LENGTH, AccountRole, digest_of
from checker.accounts.rows import NO_ACCOUNT, known_form, lock_account, lock_named, read_rows
from checker.accounts.schema import api_key
from checker.accounts.scope import AccountScope, Scope, account_scope_of, columns_of, scope_of
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.errors import Conflict, InvalidRequest, NotFound
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.vault import Vault

KEYS_MAX = 100
"""Keys of one account in force at once. Every node holds all keys, and nobody oversees more."""

NO_KEY = "no key has this id"

OVERLAP_S = 24 * 3600
"""A day, in which an institution gives the new key to all its machines."""

OVERLAP_S_MAX = 90 * 24 * 3600
"""A season. An institution that needs longer has two keys, and replaces neither."""


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made, with its secret, which is shown only now."""

    key: str
    state: KeyState


class AccountKeys:
    """The keys of one deployment's accounts."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def create(
        self, account_id: str, scope: Scope, expires_at: datetime | None, *, by: ActionAuthor
    ) -> NewKey:
        """Make a key for an account, and return it.

        Raises:
            Conflict: the account is disabled, or has `KEYS_MAX` keys in force.
            InvalidRequest: the scope is wider than the account's.
            NotFound: no account has this id.
            Unavailable: PostgreSQL is away.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                holder = await lock_account(connection, account_id)
                return await self._make(connection, holder, scope, expires_at, by)

    async def create_named(
        self,
        *,
        by: ActionAuthor,
        name: str,
        role: AccountRole,
        scope: Scope = Scope(),  # noqa: B008 - frozen
        expires_at: datetime | None = None,
        courts: Sequence[str] | None = None,
    ) -> NewKey:
        """Make a key for the account of this name, and the account if there is none.

        A new account speaks for `courts`, and has no other bounds: each key has the scope given.

        Raises:
            Conflict: as `create`; or the account has another role, or other courts.
            InvalidRequest: as `create`; or there are `courts`, and the role is not a court's.
            Unavailable: as `create`.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                holder = await lock_named(
                    connection,
                    self._vault,
                    name=name,
                    role=role,
                    now=self._clock.now(),
                    by=by,
                    courts=courts,
                )
                return await self._make(connection, holder, scope, expires_at, by)

    async def page(self, account_id: str, *, after: int, limit: int) -> tuple[KeyState, ...]:
        """Return up to `limit` keys of an account with numbers above `after`, by number.

        Raises:
            NotFound: no account has this id.
            Unavailable: PostgreSQL is away.
        """
        wanted = {"account_id": known_form(account_id)}
        page = {**wanted, "after": after, "limit": limit}
        rows = await read_rows(self._engine, KEYS_PAGE, page)
        if not rows and not await read_rows(self._engine, ACCOUNT_OF_KEYS, wanted):
            raise NotFound(NO_ACCOUNT)
        return tuple(map(key_state, rows))

    async def find(self, key_id: str) -> KeyState:
        """Return one key of any account.

        Raises:
            NotFound: no key has this id.
            Unavailable: PostgreSQL is away.
        """
        rows = await read_rows(self._engine, ONE_KEY, {"id": known_form(key_id)})
        if not rows:
            raise NotFound(NO_KEY)
        return key_state(rows[0])

    async def rotate(
        self,
        account_id: str,
        key_id: str,
        *,
        by: ActionAuthor,
        overlap: timedelta,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a successor of a key with the same scope, and return it.

        The old key stays in force for the overlap, or until it expires if that is earlier. Without
        `expires_at` the new key has the lifetime with which the old key was made.

        Raises:
            Conflict: the key is no longer in force, or has a successor already.
            NotFound: the account has no such key.
            Unavailable: PostgreSQL is away.
        """
        now = self._clock.now()
        with driver_errors():
            async with self._engine.begin() as connection:
                holder = await lock_account(connection, account_id)
                old = await self._own(connection, account_id, key_id)
                _refuse_ended(old, now)
                if expires_at is None and old.expires_at is not None:
                    expires_at = now + (old.expires_at - old.created_at)
                until = now + overlap
                if old.expires_at is not None:
                    until = min(until, old.expires_at)
                await self._change(connection, old.pk, rotated_at=now, expires_at=until)
                # The old key may be wider than its account by now; the account's scope holds.
                made = await self._insert(connection, holder, scope_of(old), expires_at)
                details = {"account": holder.id, "successor": made.state.id}
                await self._log(connection, OperatorAction.ROTATE_KEY, old.id, by, details)
                return made

    async def revoke(self, account_id: str, key_id: str, *, by: ActionAuthor) -> KeyState:
        """Revoke a key, and return it. A key that was revoked before keeps its first instant.

        Raises:
            NotFound: the account has no such key.
            Unavailable: PostgreSQL is away.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                key = await self._own(connection, account_id, key_id)
                revoked_at = func.coalesce(api_key.c.revoked_at, self._clock.now())
                await self._change(connection, key.pk, revoked_at=revoked_at)
                details = {"account": key.account_id}
                await self._log(connection, OperatorAction.REVOKE_KEY, key.id, by, details)
                row = (await connection.execute(ONE_KEY, {"id": key.id})).one()
        return key_state(row)

    async def _make(
        self,
        connection: AsyncConnection,
        holder: Any,
        scope: Scope,
        expires_at: datetime | None,
        by: ActionAuthor,
    ) -> NewKey:
        _refuse_wider(scope, account_scope_of(holder))
        made = await self._insert(connection, holder, scope, expires_at)
        details = {"account": holder.id, "prefix": made.state.prefix}
        await self._log(connection, OperatorAction.CREATE_KEY, made.state.id, by, details)
        return made

    async def _log(
        self,
        connection: AsyncConnection,
        action: OperatorAction,
        key_id: str,
        by: ActionAuthor,
        details: Mapping[str, Any],
    ) -> None:
        now = self._clock.now()
        await log_action(
            connection, self._vault, action, str(key_id), by=by, at=now, details=details
        )

    async def _insert(
        self,
        connection: AsyncConnection,
        holder: Any,
        scope: Scope,
        expires_at: datetime | None,
    ) -> NewKey:
        """Insert a key of an account whose row is locked, so that nobody else counts its keys."""
        now = self._clock.now()
        if holder.disabled_at is not None:
            raise Conflict("the account is disabled")
        in_force = KEYS_IN_FORCE.where(api_key.c.account_id == holder.id)
        if (await connection.execute(in_force, {"now": now})).scalar_one() >= KEYS_MAX:
            raise Conflict(f"the account has {KEYS_MAX} keys in force: revoke some first")
        key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        values = {
            "account_id": holder.id,
            "digest": digest_of(key),
            "prefix": key[:SHOWN_LENGTH],
            "created_at": now,
            "expires_at": expires_at,
            **columns_of(msgspec.structs.asdict(scope)),
        }
        statement = insert(api_key).values(values).returning(api_key)
        row = (await connection.execute(statement)).one()
        await journal_key(connection, self._vault, row)
        return NewKey(key=key, state=key_state(row, last_used_at=None))

    async def _change(self, connection: AsyncConnection, pk: int, **values: Any) -> None:
        """Change a key's locked row, and enter the row in the journal."""
        changed = update(api_key).where(api_key.c.pk == pk).values(**values).returning(api_key)
        await journal_key(connection, self._vault, (await connection.execute(changed)).one())

    async def _own(self, connection: AsyncConnection, account_id: str, key_id: str) -> Any:
        statement = (
            select(api_key)
            .where(api_key.c.id == known_form(key_id))
            .where(api_key.c.account_id == known_form(account_id))
            .with_for_update()
        )
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            raise NotFound(NO_KEY)
        return row


def _refuse_wider(key: Scope, holder: AccountScope) -> None:
    """Raise InvalidRequest if a key's scope is wider than its account's; it names the fields."""
    if faults := key.beyond(holder):
        raise InvalidRequest("a key may only narrow the scope of its account", faults)


def _refuse_ended(key: Any, now: datetime) -> None:
    if key.revoked_at is not None:
        raise Conflict("the key is revoked: make a new one")
    if key.expires_at is not None and key.expires_at <= now:
        raise Conflict("the key has expired: make a new one")
    if key.rotated_at is not None:
        raise Conflict("the key has a successor already: rotate that, or make a new one")
