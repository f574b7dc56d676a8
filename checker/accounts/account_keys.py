"""The keys of an account: made, shown, rotated, revoked. A key itself is told once, when made.

All of it is in force on every node within a second (`checker.accounts.key_ring`).
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.accounts import NO_ACCOUNT, known_form, lock_account, read_rows
from checker.accounts.journaled import journal_key
from checker.accounts.keys import insert_key, refuse_wider, scope_of
from checker.accounts.schema import account, api_key, key_use
from checker.accounts.scope import Scope
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.errors import Conflict, NotFound
from checker.vault import Vault

KEYS_MAX = 100
"""In force for one account at once: every node holds them all, and nobody oversees more."""

NO_KEY = "no key has this id"

OVERLAP_S = 24 * 3600
"""A day, in which every machine of an institution is given the new key."""

OVERLAP_S_MAX = 90 * 24 * 3600
"""A season; whoever needs longer has two keys, not one that is being replaced."""


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """A key without what opens anything; `number` says where it stands among the others.

    `scope` is its own, which its account's may narrow further. `last_used_at` is right to about a
    minute. `prefix` is not known of the oldest keys.
    """

    id: str
    number: int
    account_id: str
    prefix: str | None
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    rotated_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made: the only time that it is told."""

    key: str
    state: KeyState


class AccountKeys:
    """The keys of one deployment's accounts."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def create(self, account_id: str, scope: Scope, expires_at: datetime | None) -> NewKey:
        """Make a key.

        Raises:
            Conflict: the account is disabled, or has too many keys.
            InvalidRequest: the scope is wider than the account's.
            NotFound: there is no such account.
            Unavailable: PostgreSQL is away.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                holder = await lock_account(connection, account_id)
                refuse_wider(scope, scope_of(holder))
                return await self._make(connection, holder, scope, expires_at)

    async def page(self, account_id: str, *, after: int, limit: int) -> tuple[KeyState, ...]:
        """Give up to `limit` keys in the order in which they were made, behind number `after`.

        Raises:
            NotFound: there is no such account.
            Unavailable: PostgreSQL is away.
        """
        wanted = {"account_id": known_form(account_id)}
        page = {**wanted, "after": after, "limit": limit}
        rows = await read_rows(self._engine, _PAGE, page)
        if not rows and not await read_rows(self._engine, _ACCOUNT, wanted):
            raise NotFound(NO_ACCOUNT)
        return tuple(map(_state, rows))

    async def find(self, key_id: str) -> KeyState:
        """Give one key, whosever it is.

        Raises:
            NotFound: there is none of this id.
            Unavailable: PostgreSQL is away.
        """
        rows = await read_rows(self._engine, _KEY, {"id": known_form(key_id)})
        if not rows:
            raise NotFound(NO_KEY)
        return _state(rows[0])

    async def rotate(
        self,
        account_id: str,
        key_id: str,
        *,
        overlap: timedelta,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key of the same scope; the old one is in force for the overlap, no longer.

        Without `expires_at` the new one lives as long as the old one was made to live.

        Raises:
            Conflict: the key is in force no more, or has a successor already.
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
                return await self._make(connection, holder, scope_of(old), expires_at)

    async def revoke(self, account_id: str, key_id: str) -> KeyState:
        """End a key; one that was revoked before stays as it is.

        Raises:
            NotFound: the account has no such key.
            Unavailable: PostgreSQL is away.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                key = await self._own(connection, account_id, key_id)
                revoked_at = func.coalesce(api_key.c.revoked_at, self._clock.now())
                await self._change(connection, key.pk, revoked_at=revoked_at)
                row = (await connection.execute(_KEY, {"id": key.id})).one()
        return _state(row)

    async def _make(
        self,
        connection: AsyncConnection,
        holder: Any,
        scope: Scope,
        expires_at: datetime | None,
    ) -> NewKey:
        now = self._clock.now()
        if holder.disabled_at is not None:
            raise Conflict("the account is disabled")
        in_force = _IN_FORCE.where(api_key.c.account_id == holder.id)
        if (await connection.execute(in_force, {"now": now})).scalar_one() >= KEYS_MAX:
            raise Conflict(f"the account has {KEYS_MAX} keys in force: revoke some first")
        key, row = await insert_key(
            connection, self._vault, holder.id, scope, created_at=now, expires_at=expires_at
        )
        return NewKey(key=key, state=_state(row, last_used_at=None))

    async def _change(self, connection: AsyncConnection, pk: int, **values: Any) -> None:
        """Change a key's row, which is locked, and enter it in the journal."""
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


def _refuse_ended(key: Any, now: datetime) -> None:
    if key.revoked_at is not None:
        raise Conflict("the key is revoked: make a new one")
    if key.expires_at is not None and key.expires_at <= now:
        raise Conflict("the key has expired: make a new one")
    if key.rotated_at is not None:
        raise Conflict("the key has a successor already: rotate that, or make a new one")


_NOT_GIVEN: Any = object()


def _state(row: Any, *, last_used_at: Any = _NOT_GIVEN) -> KeyState:
    return KeyState(
        id=row.id,
        number=row.pk,
        account_id=row.account_id,
        prefix=row.prefix,
        scope=scope_of(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
        rotated_at=row.rotated_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at if last_used_at is _NOT_GIVEN else last_used_at,
    )


_ACCOUNT = select(account.c.id).where(account.c.id == bindparam("account_id"))
_STATES = select(api_key, key_use.c.last_used_at).outerjoin_from(api_key, key_use)
_PAGE = (
    _STATES.where(api_key.c.account_id == bindparam("account_id"))
    .where(api_key.c.pk > bindparam("after"))
    .order_by(api_key.c.pk)
    .limit(bindparam("limit"))
)
_KEY = _STATES.where(api_key.c.id == bindparam("id"))
_IN_FORCE = (
    select(func.count())
    .select_from(api_key)
    .where(api_key.c.revoked_at.is_(None))
    .where(or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > bindparam("now")))
)
