"""Keys as callers send them, and what the holder of a key may do.

A key is `ck_` and 32 random bytes in base64url. The service shows a key once, and stores its
SHA-256. The digest needs no salt and no slow hash, because nobody can guess 256 random bits. The
service also stores the first characters, 36 of these bits, by which people recognise a key.
"""

import hashlib
import re
from datetime import datetime
from enum import StrEnum

import msgspec

from cache.counting.quota import Limit
from checker.accounts.scope import AccountScope
from checker.domain.court import Courts
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType

PREFIX = "ck_"
SECRET_BYTES = 32
SHOWN_LENGTH = len(PREFIX) + 6

_SCHEME = "bearer"
_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


class AccountRole(StrEnum):
    """The part that an account plays (contract, section 1)."""

    INSTITUTION = "institution"
    COURT = "court"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Action(StrEnum):
    """An action that a role may allow."""

    CHECK = "check"
    SPEND = "spend"
    PUBLISH = "publish"
    SEE_QUARANTINE = "see_quarantine"
    RETRY_QUARANTINE = "retry_quarantine"
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
            Action.CHECK,
            Action.SPEND,
            Action.RECONCILE,
            Action.SEE_MEASURES,
            Action.REPORT_OUTCOMES,
            Action.SEE_OWN_DECISIONS,
            Action.RECEIVE_NOTICES,
            Action.FILE_CORRECTION,
        }
    ),
    AccountRole.COURT: frozenset(
        {
            Action.PUBLISH,
            Action.SEE_QUARANTINE,
            Action.RETRY_QUARANTINE,
            Action.SEE_MEASURES,
            Action.FILE_CORRECTION,
            Action.SEE_CORRECTIONS,
            Action.RULE,
        }
    ),
    AccountRole.OPERATOR: frozenset(
        {
            Action.SEE_LIST,
            Action.SEE_QUARANTINE,
            Action.RETRY_QUARANTINE,
            Action.SEE_MEASURES,
            Action.SEE_REPORTS,
            Action.FILE_CORRECTION,
            Action.SEE_CORRECTIONS,
            Action.MANAGE_ACCOUNTS,
            Action.SEE_WEBHOOKS,
        }
    ),
    AccountRole.AUDITOR: frozenset(
        {
            Action.SEE_MEASURES,
            Action.SEE_ALL_DECISIONS,
            Action.SEE_REPORTS,
        }
    ),
}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The account that calls, and what the key in use may do.

    `services` None: all types. `limits` empty: no limit. `kind` names the accounts with which this
    account is compared (`checker.accounts.watch`). `account_scope` is what the account may do at
    most. From `expires_at` on the key is not in force, also while PostgreSQL is away.
    """

    key_pk: int
    account_id: str
    name: str
    role: AccountRole
    services: frozenset[ServiceType] | None
    jurisdiction: Jurisdiction | None
    limits: tuple[Limit, ...] = ()
    kind: str = ""
    account_scope: AccountScope = AccountScope()
    expires_at: datetime | None = None

    @property
    def courts(self) -> Courts | None:
        """The courts for which the account speaks; None: for the whole list."""
        names = self.account_scope.courts
        return None if names is None else Courts(names)

    def may(self, action: Action) -> bool:
        """Whether the account's role allows this action."""
        return action in MAY[self.role]

    def may_ask(self, service: ServiceType) -> bool:
        """Whether the key's scope holds this type of service."""
        return self.services is None or service in self.services


def digest_of(key: str) -> bytes:
    """Return the digest by which the database stores a key."""
    return hashlib.sha256(key.encode()).digest()


def key_of(authorization: str) -> str | None:
    """Return the key in an `Authorization` header; None: the header has another scheme."""
    scheme, _, text = authorization.partition(" ")
    # RFC 9110, section 11.1: in any case.
    return text.strip() if scheme.lower() == _SCHEME else None


def looks_like_key(text: str) -> bool:
    """Whether a text has the form of a key; no other text is looked up."""
    return _KEY.fullmatch(text) is not None
