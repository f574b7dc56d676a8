"""The endpoints of institutions: put, shown, removed, and tried again.

URL and secrets stand sealed, because a URL may hold a key in its query, and a secret signs in our
name. A secret is shown once, when the endpoint is put. The previous secret signs along for a day,
so that a receiver may change over in its own time.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.clock import Clock, InstantText, instant_text
from checker.errors import NotFound
from checker.notices.endpoint import EndpointRules, read_url, refused
from checker.notices.network import AddressRefused, CannotResolve, permitted_addresses
from checker.notices.schema import delivery, webhook
from checker.notices.signature import new_secret
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.vault import Vault

if TYPE_CHECKING:
    import httpx

OVERLAP: Final = timedelta(days=1)
"""The previous secret signs along for this time."""

URL_PLACE: Final = "webhook.url"
SECRET_PLACE: Final = "webhook.secret"  # noqa: S105 - the name of a place, not a secret

_PORTS: Final = {"https": 443, "http": 80}


class WebhookState(StrEnum):
    """The state of an endpoint."""

    ACTIVE = "active"
    FAILING = "failing"
    """The last attempt was not acknowledged; the next one comes by itself."""
    DISABLED = "disabled"
    """The endpoint answered 410. It gets nothing until it is put again or a retry is asked for."""


class LastFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The last failure: a word, or `status-` with the answered status."""

    code: str
    at: InstantText


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as its institution sees it, with the numbers of `pending` and `dead` notices.

    Dead notices are in the feed, and a retry sends them again.
    """

    url: str
    state: WebhookState
    pending: int
    dead: int
    last_failure: LastFailure | None
    last_success_at: InstantText | None


class AccountWebhook(WebhookView, frozen=True, kw_only=True):
    """An endpoint as operators see it: with its account, and `url` without its query."""

    account_id: str
    account: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of notices that are on their way, and of dead notices."""

    pending: int
    dead: int


_WAITING: Final = select(
    func.count().filter(delivery.c.dead_at.is_(None)).label("pending"),
    func.count(delivery.c.dead_at).label("dead"),
)
_READ: Final = text(
    """
SELECT w.*, a.name,
       count(d.notice_pk) FILTER (WHERE d.dead_at IS NULL) AS pending,
       count(d.dead_at) AS dead
FROM webhook w JOIN account a ON a.id = w.account_id
LEFT JOIN delivery d ON d.account_id = w.account_id
WHERE CAST(:account AS text) IS NULL OR w.account_id = :account
GROUP BY w.account_id, a.name
ORDER BY a.name
"""
)


class Webhooks:
    """Keeps endpoints. `rules` name the URLs that may be put."""

    def __init__(
        self, engine: AsyncEngine, vault: Vault, clock: Clock, rules: EndpointRules
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._rules = rules

    async def put(self, account_id: str, url: str) -> str:
        """Send an account's notices to a URL from now on, waiting ones too; return the new secret.

        Raises:
            InvalidRequest: the URL can be no endpoint; the error has the reason.
            Unavailable: PostgreSQL is away.
        """
        await self._verify(await asyncio.to_thread(read_url, url, self._rules))
        secret, now = new_secret(), self._clock.now()
        values = {
            "url": self._vault.seal(url, URL_PLACE, account_id),
            "secret": self._vault.seal(secret, SECRET_PLACE, account_id),
            "started_at": now,
            "disabled_at": None,
            "failure": None,
            "failed_at": None,
        }
        rotated = {"secret_before": webhook.c.secret, "secret_before_until": now + OVERLAP}
        fresh = insert(webhook).values(account_id=account_id, **values)
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(
                    fresh.on_conflict_do_update(
                        index_elements=["account_id"], set_=values | rotated
                    )
                )
                await _revive(connection, account_id, now)
        return secret

    async def show(self, account_id: str) -> WebhookView:
        """Return an account's endpoint. Raises NotFound where there is none, and Unavailable."""
        rows = await self._read(account_id)
        if not rows:
            raise NotFound("you have no webhook; PUT /v1/webhook makes one")
        url = self._vault.open(rows[0].url, URL_PLACE, account_id)
        return WebhookView(url=url, **_shown(rows[0]))

    async def show_all(self) -> Sequence[AccountWebhook]:
        """Return the endpoints of all accounts, by the accounts' names. Raises Unavailable."""
        found = []
        for row in await self._read(None):
            # `read_url` accepts no URL with a fragment or a user.
            url, _, _ = self._vault.open(row.url, URL_PLACE, row.account_id).partition("?")
            found.append(
                AccountWebhook(url=url, account_id=row.account_id, account=row.name, **_shown(row))
            )
        return found

    async def count_waiting(self) -> Waiting:
        """Return the numbers of pending and dead notices of all accounts. Raises Unavailable."""
        with driver_errors():
            [row] = await fetch(self._engine, _WAITING)
        return Waiting(pending=row["pending"], dead=row["dead"])

    async def remove(self, account_id: str) -> None:
        """Remove an account's endpoint; its notices stay in the feed. Raises Unavailable."""
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(delete(webhook).where(webhook.c.account_id == account_id))

    async def retry(self, account_id: str, *, by: ActionAuthor | None = None) -> int:
        """Try all pending and dead notices at once, and return their number.

        `by` is the operator who asks, and the action is logged. None: the account itself asks.

        Raises:
            NotFound: the account has no endpoint.
            Unavailable: PostgreSQL is away.
        """
        now = self._clock.now()
        begun = (
            update(webhook)
            .where(webhook.c.account_id == account_id)
            .values(started_at=now, disabled_at=None)
        )
        with driver_errors():
            async with self._engine.begin() as connection:
                if not (await connection.execute(begun)).rowcount:
                    raise NotFound("you have no webhook; PUT /v1/webhook makes one")
                revived = await _revive(connection, account_id, now)
                if by is not None:
                    retried, details = OperatorAction.RETRY_NOTICES, {"notices": revived}
                    await log_action(
                        connection,
                        self._vault,
                        retried,
                        account_id,
                        by=by,
                        at=now,
                        details=details,
                    )
                return revived

    async def _verify(self, url: "httpx.URL") -> None:
        """Verify the addresses of a URL; the sender verifies them again at every connection."""
        try:
            host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
            await permitted_addresses(host, port, self._rules)
        except AddressRefused:
            raise refused("must not lead to a private, local or reserved address") from None
        except CannotResolve:
            raise refused("names a host that has no address") from None

    async def _read(self, account_id: str | None) -> Sequence[Any]:
        with driver_errors():
            async with self._engine.connect() as connection:
                return (await connection.execute(_READ, {"account": account_id})).all()


async def _revive(connection: AsyncConnection, account_id: str, now: datetime) -> int:
    waiting = (
        update(delivery)
        .where(delivery.c.account_id == account_id)
        .values(attempts=0, next_at=now, dead_at=None)
    )
    return (await connection.execute(waiting)).rowcount


def _shown(row: Any) -> dict[str, Any]:
    return {
        "state": _state(row),
        "pending": row.pending,
        "dead": row.dead,
        "last_failure": None
        if row.failure is None
        else LastFailure(code=row.failure, at=instant_text(row.failed_at)),
        "last_success_at": None if row.succeeded_at is None else instant_text(row.succeeded_at),
    }


def _state(row: Any) -> WebhookState:
    if row.disabled_at is not None:
        return WebhookState.DISABLED
    failed = row.failed_at is not None
    if failed and (row.succeeded_at is None or row.succeeded_at < row.failed_at):
        return WebhookState.FAILING
    return WebhookState.ACTIVE
