"""The state of a key without its secret, and the statements that read keys."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, or_, select

from checker.accounts.schema import account, api_key, key_use
from checker.accounts.scope import Scope, scope_of


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


_NOT_GIVEN: Any = object()


def key_state(row: Any, *, last_used_at: Any = _NOT_GIVEN) -> KeyState:
    """Return the state of a row of `STATES`, or of a key whose last use is given."""
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


ACCOUNT_OF_KEYS = select(account.c.id).where(account.c.id == bindparam("account_id"))
STATES = select(api_key, key_use.c.last_used_at).outerjoin_from(api_key, key_use)
KEYS_PAGE = (
    STATES.where(api_key.c.account_id == bindparam("account_id"))
    .where(api_key.c.pk > bindparam("after"))
    .order_by(api_key.c.pk)
    .limit(bindparam("limit"))
)
ONE_KEY = STATES.where(api_key.c.id == bindparam("id"))
KEYS_IN_FORCE = (
    select(func.count())
    .select_from(api_key)
    .where(api_key.c.revoked_at.is_(None))
    .where(or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > bindparam("now")))
)
