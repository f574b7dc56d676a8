"""A node's copy of all keys, so that no check asks the database who is calling.

Four times a second the ring looks whether an account or a key has changed. A key that it does not
know is looked for at once, but not more often than every 100 ms: forged keys wait, and cost one
query together. While PostgreSQL is away known keys keep working, until they expire by this node's
clock; a key that is not known is then neither good nor bad.

One text answers for keys that never were, have expired, were revoked, or belong to an account that
is disabled. Who found or stole one is not told which, so not whether it was missed; who holds one
rightly asks the operator, who sees it.
"""

import asyncio
import time
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.key_uses import KeyUses
from checker.accounts.keys import AccountRole, Caller, digest_of, looks_like_key, scope_of
from checker.accounts.schema import access_version, account, account_flag, api_key
from checker.accounts.scope import (
    Scope,
    jurisdiction_of,
    kind_of,
    limits_of,
    services_of,
    slowed_limit,
)
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.errors import Unauthenticated
from checker.work import Work

REFRESH_INTERVAL_S = 0.25
"""A revocation is to hold within a second, also where a loaded machine is late a few times over."""
SEARCH_INTERVAL_S = 0.1

NOT_IN_FORCE = "this key is not known, or no longer in force"

_SCHEME = "bearer"


class KeyRing:
    """Knows the caller behind a key."""

    def __init__(self, engine: AsyncEngine, clock: Clock, *, slowed_items_per_minute: int) -> None:
        self._engine = engine
        self._clock = clock
        self._slowed_items_per_minute = slowed_items_per_minute
        # When somebody who is slowed is so no more, though nothing is written then.
        self._next_release: datetime | None = None
        self._callers: dict[bytes, Caller] = {}
        self._seen: int | None = None
        self._search: asyncio.Task[None] | None = None
        self._searched_at = -SEARCH_INTERVAL_S
        self.uses = KeyUses(engine, clock)

    async def caller(self, authorization: str | None) -> Caller:
        """Tell who calls by the `Authorization` header.

        Raises:
            Unauthenticated: no key, or one that is not in force.
            Unavailable: not known here, and PostgreSQL cannot be asked.
        """
        if authorization is None:
            raise Unauthenticated("send a key: Authorization: Bearer <key>")
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != _SCHEME:  # RFC 9110, section 11.1: in any case
            raise Unauthenticated("the Authorization header must be: Bearer <key>")
        key = text.strip()
        digest = digest_of(key)
        known = self._callers.get(digest)
        if known is None and looks_like_key(key):
            await self._search_once()
            known = self._callers.get(digest)
        if known is None or (
            known.expires_at is not None and known.expires_at <= self._clock.now()
        ):
            raise Unauthenticated(NOT_IN_FORCE)
        self.uses.note(known.key_pk)
        return known

    @property
    def work(self) -> Work:
        """Refresh the keys, again and again."""
        return Work(name="refreshing the keys", every_s=REFRESH_INTERVAL_S, do=self.refresh)

    async def refresh(self) -> None:
        """Read all keys that are in force, if anything has changed since the last time.

        Raises:
            Unavailable: PostgreSQL is away; what was known stays so.
        """
        with driver_errors():
            async with self._engine.connect() as connection:
                # Before the keys: what changes in between is read now, and once more.
                seen = (await connection.execute(select(access_version.c.version))).scalar()
                now = self._clock.now()
                release_is_due = self._next_release is not None and self._next_release <= now
                if seen is not None and seen == self._seen and not release_is_due:
                    return
                rows = (await connection.execute(_KEYS, {"now": now})).all()
        self._callers = {row.digest: self._caller(row) for row in rows}
        slowed = (row.slowed_until for row in rows if row.slowed_until is not None)
        self._next_release = min(slowed, default=None)
        self._seen = seen

    async def _search_once(self) -> None:
        """Let all that wait for an unknown key share the next refresh.

        One that is under way already may have read before the key was made: it is not joined.
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

    def _caller(self, row: Any) -> Caller:
        own = scope_of(row)
        whole = Scope(
            services=services_of(row.account_services),
            jurisdiction=jurisdiction_of(row.account_jurisdiction),
            items_per_minute=row.account_items_per_minute,
            items_per_day=row.account_items_per_day,
        )
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
            expires_at=row.expires_at,
        )


_KEYS = (
    select(
        api_key,
        account.c.name,
        account.c.role,
        account.c.services.label("account_services"),
        account.c.jurisdiction.label("account_jurisdiction"),
        account.c.items_per_minute.label("account_items_per_minute"),
        account.c.items_per_day.label("account_items_per_day"),
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
