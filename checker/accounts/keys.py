"""Keys: what they look like, what they may do, and how they are made.

A key is `ck_` and 32 random bytes in base64url. It is shown once; what is kept is its SHA-256,
which needs no salt and no slow hash because nobody can guess 256 random bits, and its first
characters, by which people recognise it: 36 of those bits.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.counting.quota import Limit
from checker.accounts.journaled import journal_account, journal_key
from checker.accounts.schema import account, api_key
from checker.accounts.scope import Scope, jurisdiction_of, services_of
from checker.database.engine import driver_errors
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Conflict, InvalidRequest
from checker.vault import Vault

PREFIX = "ck_"
SECRET_BYTES = 32
SHOWN_LENGTH = len(PREFIX) + 6

_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


class AccountRole(StrEnum):
    """What an account is (contract, section 1)."""

    INSTITUTION = "institution"
    COURT = "court"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Action(StrEnum):
    """What a caller may want."""

    CHECK = "check"
    SPEND = "spend"
    PUBLISH = "publish"
    SEE_QUARANTINE = "see_quarantine"
    SEE_LIST = "see_list"
    SEE_MEASURES = "see_measures"
    REPORT_OUTCOMES = "report_outcomes"
    SEE_OWN_DECISIONS = "see_own_decisions"
    SEE_ALL_DECISIONS = "see_all_decisions"
    SEE_REPORTS = "see_reports"
    FILE_CORRECTION = "file_correction"
    SEE_CORRECTIONS = "see_corrections"
    RULE = "rule"
    RECONCILE = "reconcile"
    MANAGE_ACCOUNTS = "manage_accounts"
    RECEIVE_NOTICES = "receive_notices"
    SEE_WEBHOOKS = "see_webhooks"


MAY: dict[AccountRole, frozenset[Action]] = {
    AccountRole.INSTITUTION: frozenset(
        {
            *(Action.CHECK, Action.SPEND, Action.RECONCILE, Action.SEE_MEASURES),
            *(Action.REPORT_OUTCOMES, Action.SEE_OWN_DECISIONS, Action.RECEIVE_NOTICES),
            Action.FILE_CORRECTION,
        }
    ),
    AccountRole.COURT: frozenset(
        {
            *(Action.PUBLISH, Action.SEE_QUARANTINE, Action.SEE_MEASURES),
            *(Action.FILE_CORRECTION, Action.SEE_CORRECTIONS, Action.RULE),
        }
    ),
    AccountRole.OPERATOR: frozenset(
        {
            *(Action.SEE_LIST, Action.SEE_QUARANTINE, Action.SEE_MEASURES, Action.SEE_REPORTS),
            *(Action.FILE_CORRECTION, Action.SEE_CORRECTIONS, Action.MANAGE_ACCOUNTS),
            Action.SEE_WEBHOOKS,
        }
    ),
    AccountRole.AUDITOR: frozenset(
        {Action.SEE_MEASURES, Action.SEE_ALL_DECISIONS, Action.SEE_REPORTS}
    ),
}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, and what the key in use may do. `services` None: all types; no limits: no bound.

    `kind` says with which other accounts this one is compared (`checker.accounts.watch`).

    From `expires_at` on the key is none, whether anybody can be asked or not.
    """

    key_pk: int
    account_id: str
    name: str
    role: AccountRole
    services: frozenset[ServiceType] | None
    jurisdiction: Jurisdiction | None
    limits: tuple[Limit, ...] = ()
    kind: str = ""
    expires_at: datetime | None = None

    def may(self, action: Action) -> bool:
        """Whether the account's role lets it do this."""
        return action in MAY[self.role]

    def may_ask(self, service: ServiceType) -> bool:
        """Whether the key's scope holds this type of service."""
        return self.services is None or service in self.services


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def looks_like_key(text: str) -> bool:
    """Whether a text has the form of a key: what has not is refused unasked."""
    return _KEY.fullmatch(text) is not None


async def insert_key(
    connection: AsyncConnection,
    vault: Vault,
    account_id: str,
    scope: Scope,
    *,
    created_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> tuple[str, Any]:
    """Make a key and enter it in the journal; gives it, this once, and its row. The caller commits.

    Without `created_at` it is PostgreSQL's time.
    """
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    values = {
        "account_id": account_id,
        "digest": digest_of(key),
        "prefix": key[:SHOWN_LENGTH],
        "services": None if scope.services is None else sorted(scope.services),
        "jurisdiction": scope.jurisdiction,
        "items_per_minute": scope.items_per_minute,
        "items_per_day": scope.items_per_day,
        "expires_at": expires_at,
    }
    if created_at is not None:
        values["created_at"] = created_at
    made = await connection.execute(insert(api_key).values(values).returning(api_key))
    row = made.one()
    await journal_key(connection, vault, row)
    return key, row


def scope_of(row: Any) -> Scope:
    """Read the scope of a row of an account, or the one of its own of a key."""
    return Scope(
        services=services_of(row.services),
        jurisdiction=jurisdiction_of(row.jurisdiction),
        items_per_minute=row.items_per_minute,
        items_per_day=row.items_per_day,
    )


def refuse_wider(key: Scope, account_scope: Scope) -> None:
    """Refuse a key that may more than its account.

    Raises:
        InvalidRequest: with the fields in which it is wider.
    """
    if faults := key.beyond(account_scope):
        raise InvalidRequest("a key may only narrow the scope of its account", faults)


async def create_key(
    engine: AsyncEngine,
    vault: Vault,
    *,
    name: str,
    role: AccountRole,
    services: Collection[ServiceType] | None = None,
    jurisdiction: Jurisdiction | None = None,
    items_per_minute: int = 0,
    items_per_day: int = 0,
    expires_at: datetime | None = None,
) -> str:
    """Make a key for the account of that name, and the account if there is none; return the key.

    An account that is made so bounds its keys by nothing: each has the scope that is given here.

    Raises:
        Conflict: the account exists with another role, or is disabled.
        InvalidRequest: the account exists with a narrower scope.
        Unavailable: PostgreSQL is away.
    """
    scope = Scope(
        services=None if services is None else frozenset(services),
        jurisdiction=jurisdiction,
        items_per_minute=items_per_minute,
        items_per_day=items_per_day,
    )
    fresh = insert_or_keep(account).values(id=str(uuid4()), name=name, role=role)
    found = select(account).where(account.c.name == name)
    with driver_errors():
        async with engine.begin() as connection:
            row = (await connection.execute(found)).one_or_none()
            if row is None:
                kept = fresh.on_conflict_do_nothing(index_elements=["name"])
                for made in (await connection.execute(kept.returning(account))).all():
                    await journal_account(connection, vault, made)
                row = (await connection.execute(found)).one()
            if row.role != role:
                raise Conflict(f"the account of this name has the role {row.role}")
            if row.disabled_at is not None:
                raise Conflict("the account of this name is disabled")
            refuse_wider(scope, scope_of(row))
            key, _ = await insert_key(connection, vault, row.id, scope, expires_at=expires_at)
    return key
