"""A node's copy of all keys, so that no check asks the database who is calling.

Twice a second the ring looks whether keys came or were revoked. A key it does not know is looked
for at once, but not more often than every 100 ms: forged keys wait, and cost one query together.
While PostgreSQL is away known keys keep working; a key that is not known is then neither good nor
bad.
"""

import asyncio
import logging
import time

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.keys import AccountRole, Caller, digest_of
from checker.accounts.schema import account, api_key
from checker.database.engine import driver_errors
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Unauthenticated
from checker.fault_log import FaultLog

REFRESH_INTERVAL_S = 0.5
SEARCH_INTERVAL_S = 0.1

_SCHEME = "bearer"

_log = logging.getLogger(__name__)


class KeyRing:
    """Knows the caller behind a key."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._callers: dict[bytes, Caller] = {}
        self._seen: tuple[object, ...] | None = None
        self._search: asyncio.Task[None] | None = None
        self._searched_at = -SEARCH_INTERVAL_S

    async def caller(self, authorization: str | None) -> Caller:
        """Tell who calls by the `Authorization` header.

        Raises:
            Unauthenticated: no key, or one that is not known.
            Unavailable: not known here, and PostgreSQL cannot be asked.
        """
        if authorization is None:
            raise Unauthenticated("send a key: Authorization: Bearer <key>")
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != _SCHEME:  # RFC 9110, section 11.1: in any case
            raise Unauthenticated("the Authorization header must be: Bearer <key>")
        digest = digest_of(key.strip())
        known = self._callers.get(digest)
        if known is None:
            await self._search_once()
            known = self._callers.get(digest)
        if known is None:
            raise Unauthenticated("this key is not known")
        return known

    async def run(self) -> None:
        """Refresh until cancelled; whatever fails is tried again."""
        faults = FaultLog(_log, "refreshing the keys")
        while True:
            await asyncio.sleep(REFRESH_INTERVAL_S)
            try:
                await self.refresh()
            except Exception as error:
                faults.met(error)
            else:
                faults.passed()

    async def refresh(self) -> None:
        """Read all keys that are in force, if any came or went since the last time."""
        marks = select(func.count(), func.max(api_key.c.pk), func.max(api_key.c.revoked_at))
        with driver_errors():
            async with self._engine.connect() as connection:
                seen = tuple((await connection.execute(marks)).one())
                if seen == self._seen:
                    return
                rows = (await connection.execute(_KEYS_IN_FORCE)).all()
        self._callers = {
            row.digest: Caller(
                key_pk=row.pk,
                account_id=row.id,
                name=row.name,
                role=AccountRole(row.role),
                services=_services(row.services),
                jurisdiction=None if row.jurisdiction is None else Jurisdiction(row.jurisdiction),
                items_per_minute=row.items_per_minute,
            )
            for row in rows
        }
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


def _services(names: list[str] | None) -> frozenset[ServiceType] | None:
    return None if names is None else frozenset(ServiceType(name) for name in names)


_KEYS_IN_FORCE = (
    select(
        api_key.c.pk,
        api_key.c.digest,
        api_key.c.services,
        api_key.c.jurisdiction,
        api_key.c.items_per_minute,
        account.c.id,
        account.c.name,
        account.c.role,
    )
    .join_from(api_key, account)
    .where(api_key.c.revoked_at.is_(None))
)
