"""Keys: what they look like, what they may do, and how they are made.

A key is `ck_` and 32 random bytes in base64url. It is shown once; what is kept is its SHA-256,
which needs no salt and no slow hash because nobody can guess 256 random bits.
"""

import hashlib
import secrets
from collections.abc import Collection
from enum import StrEnum
from uuid import uuid4

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.schema import account, api_key
from checker.database.engine import driver_errors
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Conflict

PREFIX = "ck_"
SECRET_BYTES = 32


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
    RECEIVE_NOTICES = "receive_notices"
    SEE_WEBHOOKS = "see_webhooks"


MAY: dict[AccountRole, frozenset[Action]] = {
    AccountRole.INSTITUTION: frozenset(
        {
            Action.CHECK,
            Action.SPEND,
            Action.SEE_MEASURES,
            Action.REPORT_OUTCOMES,
            Action.SEE_OWN_DECISIONS,
            Action.RECEIVE_NOTICES,
        }
    ),
    AccountRole.COURT: frozenset({Action.PUBLISH, Action.SEE_QUARANTINE, Action.SEE_MEASURES}),
    AccountRole.OPERATOR: frozenset(
        {
            Action.SEE_LIST,
            Action.SEE_QUARANTINE,
            Action.SEE_MEASURES,
            Action.SEE_REPORTS,
            Action.SEE_WEBHOOKS,
        }
    ),
    AccountRole.AUDITOR: frozenset(
        {Action.SEE_MEASURES, Action.SEE_ALL_DECISIONS, Action.SEE_REPORTS}
    ),
}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, and what the key in use may do. `services` None: all types."""

    key_pk: int
    account_id: str
    name: str
    role: AccountRole
    services: frozenset[ServiceType] | None
    jurisdiction: Jurisdiction | None
    items_per_minute: int

    def may(self, action: Action) -> bool:
        """Whether the account's role lets it do this."""
        return action in MAY[self.role]

    def may_ask(self, service: ServiceType) -> bool:
        """Whether the key's scope holds this type of service."""
        return self.services is None or service in self.services


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


async def create_key(
    engine: AsyncEngine,
    *,
    name: str,
    role: AccountRole,
    services: Collection[ServiceType] | None = None,
    jurisdiction: Jurisdiction | None = None,
    items_per_minute: int = 0,
) -> str:
    """Make a key for the account of that name, and the account if there is none; return the key.

    Raises:
        Conflict: the account exists with another role.
        Unavailable: PostgreSQL is away.
    """
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    fresh = insert_or_keep(account).values(id=str(uuid4()), name=name, role=role)
    found = select(account.c.id, account.c.role).where(account.c.name == name)
    with driver_errors():
        async with engine.begin() as connection:
            await connection.execute(fresh.on_conflict_do_nothing(index_elements=["name"]))
            row = (await connection.execute(found)).one()
            if row.role != role:
                raise Conflict(f"the account of this name has the role {row.role}")
            await connection.execute(
                insert(api_key).values(
                    account_id=row.id,
                    digest=digest_of(key),
                    services=None if services is None else sorted(services),
                    jurisdiction=jurisdiction,
                    items_per_minute=items_per_minute,
                )
            )
    return key
