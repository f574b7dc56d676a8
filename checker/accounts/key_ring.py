"""A node's copy of all keys, so that no check asks the database for its caller.

Four times a second the ring looks whether an account or a key has changed. For a key that it does
not know, the ring looks at once, but at most every 100 ms: forged keys wait, and share one query.
While PostgreSQL is away, known keys stay in force until they expire by this node's clock. Nobody
can then judge an unknown key, and its caller gets `Unavailable`.

One error text covers keys that never were, have expired, were revoked, or belong to a disabled
account. Somebody who found or stole a key does not learn which, and so not whether the key was
missed. The rightful holder asks the operator, who sees the reason.
"""

import asyncio
import time
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.key_uses import KeyUses
from checker.accounts.keys import AccountRole, Caller, digest_of, key_of, looks_like_key
from checker.accounts.schema import access_version, account, account_flag, api_key
from checker.accounts.scope import (
    AccountScope,
    account_scope_of,
    is_within,
    kind_of,
    limits_of,
    scope_of,
    slowed_limit,
)
from checker.database.rows_copy import RowsCopy
from checker.domain.clock import Clock
from checker.errors import OutOfScope, Unauthenticated
from checker.work import Work

REFRESH_INTERVAL_S = 0.25
"""A revocation holds within a second, even if a loaded machine is late a few times in a row."""
SEARCH_INTERVAL_S = 0.1

NOT_IN_FORCE = "this key is not known, or no longer in force"
ELSEWHERE = "the address of this call is in none of the account's `networks`"

_KeysRead: TypeAlias = tuple[dict[bytes, Caller], datetime | None]
"""The caller behind the digest of each key, and the instant at which the next slowing ends."""


class KeyRing:
    """Knows the caller behind each key."""

    def __init__(self, engine: AsyncEngine, clock: Clock, *, slowed_items_per_minute: int) -> None:
        self._clock = clock
        self._slowed_items_per_minute = slowed_items_per_minute
        # The instant at which the next slowing ends, although nothing is written then.
        self._next_release: datetime | None = None
        self._callers: dict[bytes, Caller] = {}
        self._copy = RowsCopy(engine, mark=select(access_version.c.version), read=self._read)
        self._search: asyncio.Task[None] | None = None
        self._searched_at = -SEARCH_INTERVAL_S
        self.uses = KeyUses(engine, clock)

    async def caller(self, authorization: str | None, address: str = "") -> Caller:
        """Return the caller, by the `Authorization` header and the address of the call.

        `address` empty: the server does not know the address.

        Raises, the first of:
            Unauthenticated: no key, or a key that is not in force.
            Unavailable: this node does not know the key, and PostgreSQL is away.
            OutOfScope: the account has networks, and the address is in none of them.
        """
        if authorization is None:
            raise Unauthenticated("send a key: Authorization: Bearer <key>")
        key = key_of(authorization)
        if key is None:
            raise Unauthenticated("the Authorization header must be: Bearer <key>")
        digest = digest_of(key)
        known = self._callers.get(digest)
        if known is None and looks_like_key(key):
            await self._search_once()
            known = self._callers.get(digest)
        if known is None or self._has_expired(known):
            raise Unauthenticated(NOT_IN_FORCE)
        networks = known.account_scope.networks
        if networks is not None and not is_within(address, networks):
            raise OutOfScope(ELSEWHERE)
        self.uses.note(known.key_pk)
        return known

    def known(self, digest: bytes, address: str) -> Caller | None:
        """Return the caller with the key of this digest, without a wait.

        None: `caller` must answer, by an error or after a look for the key.
        """
        known = self._callers.get(digest)
        if known is None or self._has_expired(known):
            return None
        networks = known.account_scope.networks
        if networks is not None and not is_within(address, networks):
            return None
        self.uses.note(known.key_pk)
        return known

    @property
    def work(self) -> Work:
        """Refresh the keys, again and again."""
        return Work(name="refreshing the keys", every_s=REFRESH_INTERVAL_S, do=self.refresh)

    async def refresh(self) -> None:
        """Read all keys in force if anything has changed: one round of this work.

        Raises:
            Unavailable: PostgreSQL is away. The ring keeps the keys that it has.
        """
        now = self._clock.now()
        release_is_due = self._next_release is not None and self._next_release <= now
        fresh = await self._copy.fresh(is_due=release_is_due)
        if fresh is not None:
            self._callers, self._next_release = fresh

    async def _read(self, connection: AsyncConnection) -> _KeysRead:
        rows = (await connection.execute(_KEYS, {"now": self._clock.now()})).all()
        slowed = (row.slowed_until for row in rows if row.slowed_until is not None)
        return {row.digest: self._caller(row) for row in rows}, min(slowed, default=None)

    async def _search_once(self) -> None:
        """Wait for the next refresh, which all callers with an unknown key share.

        A refresh that has begun already may have read before the key was made, so nobody joins it.
        """
        if self._search is None:
            self._search = asyncio.create_task(self._refresh_in_turn())
        await asyncio.shield(self._search)

    async def _refresh_in_turn(self) -> None:
        wait = self._searched_at + SEARCH_INTERVAL_S - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        self._searched_at = time.monotonic()
        self._search = None
        await self.refresh()

    def _has_expired(self, caller: Caller) -> bool:
        return caller.expires_at is not None and caller.expires_at <= self._clock.now()

    def _caller(self, row: Any) -> Caller:
        own = scope_of(row)
        whole = account_scope_of(row, _ACCOUNT)
        scope = own.within(whole)
        limits = limits_of(row.pk, own, row.account_id, whole)
        if row.slowed_until is not None:
            limits = (slowed_limit(row.account_id, self._slowed_items_per_minute), *limits)
        return Caller(
            key_pk=row.pk,
            account_id=row.account_id,
            name=row.name,
            role=AccountRole(row.role),
            services=scope.services,
            jurisdiction=scope.jurisdiction,
            limits=limits,
            kind=kind_of(whole),
            account_scope=whole,
            expires_at=row.expires_at,
        )


_ACCOUNT = "account_"
_KEYS = (
    select(
        api_key,
        account.c.name,
        account.c.role,
        *(account.c[name].label(_ACCOUNT + name) for name in AccountScope.__struct_fields__),
        account_flag.c.slowed_until,
    )
    .join_from(api_key, account, api_key.c.account_id == account.c.id)
    .outerjoin(
        account_flag,
        and_(
            account_flag.c.account_id == account.c.id,
            account_flag.c.cleared_at.is_(None),
            account_flag.c.slowed_until > bindparam("now"),
        ),
    )
    .where(api_key.c.revoked_at.is_(None), account.c.disabled_at.is_(None))
    .where(or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > bindparam("now")))
)
