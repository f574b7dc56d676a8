"""The keys of an account: made, shown, rotated and revoked.

The service shows a key once, when the key is made. Every change holds on every node within a second
(`checker.accounts.key_ring`).
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.journaled import journal_key
from checker.accounts.keys import PREFIX, SECRET_BYTES, SHOWN_LENGTH, AccountRole, digest_of
from checker.accounts.rows import NO_ACCOUNT, known_form, lock_account, lock_named, read_rows
from checker.accounts.schema import account, api_key, key_use
from checker.accounts.scope import AccountScope, Scope, account_scope_of, columns_of, scope_of
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.errors import Conflict, InvalidRequest, NotFound
from checker.vault import Vault

KEYS_MAX = 100
"""Keys of one account in force at once. Every node holds all keys, and nobody oversees more."""

NO_KEY = "no key has this id"

OVERLAP_S = 24 * 3600
"""A day, in which an institution gives the new key to all its machines."""

OVERLAP_S_MAX = 90 * 24 * 3600
"""A season. An institution that needs longer has two keys, and replaces neither."""


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret. Keys are numbered in the order in which they were made.

    `scope` is the key's own scope; the account's scope may narrow it further. `last_used_at` is
    right to about a minute. The oldest keys have no `prefix`.
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
    """A key that was just made, with its secret, which is shown only now."""

    key: str
    state: KeyState


class AccountKeys:
    """The keys of one deployment's accounts."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def create(self, account_id: str, scope: Scope, expires_at: datetime | None) -> NewKey:
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
                return await self._make(connection, holder, scope, expires_at)

    async def create_named(
        self,
        *,
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
                    courts=courts,
                )
                return await self._make(connection, holder, scope, expires_at)

    async def page(self, account_id: str, *, after: int, limit: int) -> tuple[KeyState, ...]:
        """Return up to `limit` keys of an account with numbers above `after`, by number.

        Raises:
            NotFound: no account has this id.
            Unavailable: PostgreSQL is away.
        """
        wanted = {"account_id": known_form(account_id)}
        page = {**wanted, "after": after, "limit": limit}
        rows = await read_rows(self._engine, _PAGE, page)
        if not rows and not await read_rows(self._engine, _ACCOUNT, wanted):
            raise NotFound(NO_ACCOUNT)
        return tuple(map(_state, rows))

    async def find(self, key_id: str) -> KeyState:
        """Return one key of any account.

        Raises:
            NotFound: no key has this id.
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
                return await self._insert(connection, holder, scope_of(old), expires_at)

    async def revoke(self, account_id: str, key_id: str) -> KeyState:
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
                row = (await connection.execute(_KEY, {"id": key.id})).one()
        return _state(row)

    async def _make(
        self,
        connection: AsyncConnection,
        holder: Any,
        scope: Scope,
        expires_at: datetime | None,
    ) -> NewKey:
        _refuse_wider(scope, account_scope_of(holder))
        return await self._insert(connection, holder, scope, expires_at)

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
        in_force = _IN_FORCE.where(api_key.c.account_id == holder.id)
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
        return NewKey(key=key, state=_state(row, last_used_at=None))

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
