"""Deliveries under way to endpoints. PostgreSQL keeps them, so that any sender may die.

The oldest notice of a listing goes first. The next notice of the listing goes when the first is
acknowledged or dead. Listings do not wait for each other.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ARRAY, BigInteger, any_, bindparam, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.notices.schema import delivery, webhook
from checker.notices.webhooks import SECRET_PLACE, URL_PLACE
from checker.vault import Vault

TRIPS_AT_ONCE: Final = 3
"""Connections that all endpoints share: the pool is there for others too."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The URL of an account, and the secrets that sign its messages, the newest first.

    Deliveries have been tried since `started_at`.
    """

    account_id: str
    url: str
    secrets: tuple[str, ...]
    started_at: datetime


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notice on its way, which has failed `failures` times."""

    notice_pk: int
    message_id: str
    body: str
    failures: int


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was not acknowledged; `next_at` None: the delivery is dead."""

    notice_pk: int
    failures: int
    next_at: datetime | None


class DeliveryResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of attempts at an endpoint.

    `failure` is the last failure. `gone`: the endpoint answered 410.
    """

    acknowledged: tuple[int, ...]
    failed: tuple[Failed, ...]
    failure: str | None
    gone: bool


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An account for which a delivery is due."""

    account_id: str
    started_at: datetime


_DUE: Final = text(
    """
SELECT w.account_id, w.started_at FROM webhook w
WHERE w.disabled_at IS NULL AND EXISTS (
    SELECT FROM delivery d
    WHERE d.account_id = w.account_id AND d.dead_at IS NULL AND d.next_at <= :now
    AND NOT EXISTS (
        SELECT FROM delivery e
        WHERE e.account_id = d.account_id AND e.listing_id = d.listing_id AND e.dead_at IS NULL
        AND e.notice_pk < d.notice_pk
    )
)
"""
)

_FIRST_IN_LINE: Final = text(
    """
SELECT d.notice_pk, n.id, n.event, d.attempts
FROM delivery d JOIN notice n ON n.pk = d.notice_pk
WHERE d.account_id = :account AND d.dead_at IS NULL AND d.next_at <= :now
AND NOT EXISTS (
    SELECT FROM delivery e
    WHERE e.account_id = d.account_id AND e.listing_id = d.listing_id AND e.dead_at IS NULL
    AND e.notice_pk < d.notice_pk
)
ORDER BY d.notice_pk
LIMIT :limit
"""
)

_ACKNOWLEDGE: Final = delete(delivery).where(
    delivery.c.notice_pk == any_(bindparam("pks", type_=ARRAY(BigInteger)))
)
_FAIL: Final = (
    update(delivery)
    .where(delivery.c.notice_pk == bindparam("pk"))
    .values(attempts=bindparam("failures"), next_at=bindparam("next"), dead_at=bindparam("dead"))
)


class Deliveries:
    """Reads the deliveries that are due, and stores their outcome. `engine` has no time bound."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._trips = asyncio.Semaphore(TRIPS_AT_ONCE)

    async def due(self, now: datetime) -> Sequence[Due]:
        """Return the accounts for which a delivery is due. Raises Unavailable."""
        async with self._trips:
            with driver_errors():
                async with self._engine.connect() as connection:
                    rows = (await connection.execute(_DUE, {"now": now})).all()
        return [Due(account_id=row.account_id, started_at=row.started_at) for row in rows]

    async def first_in_line(
        self, account_id: str, now: datetime, limit: int
    ) -> tuple[Endpoint, Sequence[Delivery]] | None:
        """Return an account's endpoint, and its due deliveries: the oldest of each listing.

        Return None when the account has no endpoint, or a disabled one. Raises Unavailable.
        """
        active = select(webhook).where(
            webhook.c.account_id == account_id, webhook.c.disabled_at.is_(None)
        )
        wanted = {"account": account_id, "now": now, "limit": limit}
        async with self._trips:
            with driver_errors():
                async with self._engine.connect() as connection:
                    row = (await connection.execute(active)).one_or_none()
                    rows = (await connection.execute(_FIRST_IN_LINE, wanted)).all()
        if row is None:
            return None
        sealed = [row.secret]
        if row.secret_before is not None and now < row.secret_before_until:
            sealed.append(row.secret_before)
        endpoint = Endpoint(
            account_id=account_id,
            url=self._vault.open(row.url, URL_PLACE, account_id),
            secrets=tuple(self._vault.open(each, SECRET_PLACE, account_id) for each in sealed),
            started_at=row.started_at,
        )
        return endpoint, [
            Delivery(
                notice_pk=each.notice_pk,
                message_id=str(each.id),
                body=each.event,
                failures=each.attempts,
            )
            for each in rows
        ]

    async def settle(self, account_id: str, now: datetime, result: DeliveryResult) -> None:
        """Store the outcome of attempts at an endpoint, in one commit. Raises Unavailable."""
        values: dict[str, object] = {}
        if result.acknowledged:
            values["succeeded_at"] = now
        if result.failure is not None:
            values |= {"failure": result.failure, "failed_at": now}
        if result.gone:
            values["disabled_at"] = now
        async with self._trips:
            with driver_errors():
                async with self._engine.begin() as connection:
                    # The endpoint's row comes first, as in every transaction that puts or removes
                    # an endpoint: no two transactions wait for each other.
                    of_account = webhook.c.account_id == account_id
                    await connection.execute(update(webhook).where(of_account).values(values))
                    await connection.execute(_ACKNOWLEDGE, {"pks": list(result.acknowledged)})
                    if result.failed:
                        rows = [_failed_row(each, now) for each in result.failed]
                        await connection.execute(_FAIL, rows)


def _failed_row(failed: Failed, now: datetime) -> dict[str, object]:
    return {
        "pk": failed.notice_pk,
        "failures": failed.failures,
        "next": failed.next_at or now,
        "dead": now if failed.next_at is None else None,
    }
