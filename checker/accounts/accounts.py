"""Accounts: the callers of the service, and what each may do.

Accounts are made, shown, changed and disabled. They are never removed, because kept decisions name
them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.flags import Flag, flag_of
from checker.accounts.journaled import journal_account
from checker.accounts.keys import AccountRole
from checker.accounts.rows import NO_ACCOUNT, known_form, read_rows, require_court
from checker.accounts.schema import account, account_flag
from checker.accounts.scope import AccountScope, account_scope_of, columns_of
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.errors import Conflict, NotFound
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.vault import Vault


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account. Accounts are numbered in the order in which they were made.

    While `disabled_at` is set, no key of the account is in force. `flag` is the flag that no
    operator has cleared yet.
    """

    id: str
    number: int
    name: str
    role: AccountRole
    scope: AccountScope
    created_at: datetime
    disabled_at: datetime | None
    flag: Flag | None


class AccountChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of an account. UNSET leaves a field as it is; `scope` holds fields of the scope."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    scope: Mapping[str, Any] = {}
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


class Accounts:
    """The accounts of one deployment."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def create(
        self, *, name: str, role: AccountRole, scope: AccountScope, by: ActionAuthor
    ) -> Account:
        """Make an account without keys, log the action of `by`, and return the account.

        Raises:
            Conflict: another account has this name.
            InvalidRequest: the scope has courts, and the account is no court's.
            Unavailable: PostgreSQL is away.
        """
        if scope.courts is not None:
            require_court(role)
        values = {
            "id": str(uuid4()),
            "name": name,
            "role": role,
            "created_at": self._clock.now(),
            **columns_of(msgspec.structs.asdict(scope)),
        }
        action = (OperatorAction.CREATE_ACCOUNT, {"name": name, "role": role.value})
        return await self._write(insert(account).values(values), values["id"], action, by)

    async def page(self, *, after: int, limit: int, flagged: bool = False) -> tuple[Account, ...]:
        """Return up to `limit` accounts with numbers above `after`, by number.

        With `flagged` only accounts that have a flag.

        Raises:
            Unavailable: PostgreSQL is away.
        """
        page = _PAGE.where(account_flag.c.pk.is_not(None)) if flagged else _PAGE
        rows = await read_rows(self._engine, page, {"after": after, "limit": limit})
        return tuple(map(_account, rows))

    async def count_flagged(self) -> int:
        """Return the number of accounts that have a flag. Raises Unavailable."""
        [row] = await read_rows(self._engine, _FLAGGED, {})
        counted: int = row.flagged
        return counted

    async def find(self, account_id: str) -> Account:
        """Return one account.

        Raises:
            NotFound: no account has this id.
            Unavailable: PostgreSQL is away.
        """
        rows = await read_rows(self._engine, _ONE, {"id": known_form(account_id)})
        if not rows:
            raise NotFound(NO_ACCOUNT)
        return _account(rows[0])

    async def named(self, text: str) -> Account:
        """Return the account of this name or id; commands take either.

        Raises:
            NotFound: no account has this name or id.
            Unavailable: PostgreSQL is away.
        """
        rows = await read_rows(self._engine, _NAMED, {"text": text})
        if not rows:
            raise NotFound("there is no account of this name or id")
        return _account(rows[0])

    async def change(
        self, account_id: str, changes: AccountChanges, *, by: ActionAuthor
    ) -> Account:
        """Change an account, log the action of `by`, and return the account as it is now.

        The change holds on every node within a second. A key whose scope is wider than the new
        scope of the account has only what both scopes hold.

        Raises:
            Conflict: another account has the name.
            InvalidRequest: the changes have courts, and the account is no court's.
            NotFound: no account has this id.
            Unavailable: PostgreSQL is away.
        """
        values: dict[str, Any] = columns_of(changes.scope)
        if changes.name is not msgspec.UNSET:
            values["name"] = changes.name
        if changes.disabled is True:
            values["disabled_at"] = _kept_or(self._clock.now())
        elif changes.disabled is False:
            values["disabled_at"] = None
        if not values or values.get("courts") is not None:
            found = await self.find(account_id)
            if not values:
                return found
            require_court(found.role)
        statement = update(account).where(account.c.id == known_form(account_id))
        action = (OperatorAction.CHANGE_ACCOUNT, _logged(changes))
        return await self._write(statement.values(values), account_id, action, by)

    async def _write(
        self,
        statement: Any,
        account_id: str,
        action: tuple[OperatorAction, Mapping[str, Any]],
        by: ActionAuthor,
    ) -> Account:
        kind, details = action
        with driver_errors():
            try:
                async with self._engine.begin() as connection:
                    written = await connection.execute(statement.returning(account))
                    for fresh in written.all():
                        await journal_account(connection, self._vault, fresh)
                        now = self._clock.now()
                        await log_action(
                            connection,
                            self._vault,
                            kind,
                            fresh.id,
                            by=by,
                            at=now,
                            details=details,
                        )
                    row = (await connection.execute(_ONE, {"id": account_id})).one_or_none()
            except IntegrityError:
                raise Conflict("another account has this name") from None
        if row is None:
            raise NotFound(NO_ACCOUNT)
        return _account(row)


def _logged(changes: AccountChanges) -> dict[str, Any]:
    """Return the changed fields with their new values, for the log."""
    logged: dict[str, Any] = columns_of(changes.scope)
    if changes.name is not msgspec.UNSET:
        logged["name"] = changes.name
    if changes.disabled is not msgspec.UNSET:
        logged["disabled"] = changes.disabled
    return logged


def _kept_or(now: datetime) -> Any:
    """Return the instant at which the account was first disabled; `now` if it is not disabled."""
    return func.coalesce(account.c.disabled_at, now)


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        number=row.number,
        name=row.name,
        role=AccountRole(row.role),
        scope=account_scope_of(row),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        flag=flag_of(row),
    )


_is_open = and_(account_flag.c.account_id == account.c.id, account_flag.c.cleared_at.is_(None))
_ACCOUNTS = select(
    account,
    *(account_flag.c[name] for name in ("ground", "at", "slowed_until", "items", "marked")),
    account_flag.c.kind_share,
).outerjoin_from(account, account_flag, _is_open)
_PAGE = (
    _ACCOUNTS.where(account.c.number > bindparam("after"))
    .order_by(account.c.number)
    .limit(bindparam("limit"))
)
_FLAGGED = select(func.count().label("flagged")).where(account_flag.c.cleared_at.is_(None))
_ONE = _ACCOUNTS.where(account.c.id == bindparam("id"))
_NAMED = _ACCOUNTS.where(
    or_(account.c.id == bindparam("text"), account.c.name == bindparam("text"))
)
