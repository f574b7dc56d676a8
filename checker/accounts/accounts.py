"""Accounts: who may call, and how widely.

They are made, shown, changed and disabled; never removed, because kept decisions name them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Select, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.flags import Flag, flag_of
from checker.accounts.journaled import journal_account
from checker.accounts.keys import AccountRole, scope_of
from checker.accounts.schema import account, account_flag
from checker.accounts.scope import Scope
from checker.database.engine import attempt, driver_errors
from checker.domain.clock import Clock
from checker.errors import Conflict, NotFound
from checker.vault import Vault


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account; `number` says where it stands among the others.

    Disabled: no key is in force. `flag`: it seems to fish, and no operator has cleared it since.
    """

    id: str
    number: int
    name: str
    role: AccountRole
    scope: Scope
    created_at: datetime
    disabled_at: datetime | None
    flag: Flag | None


class AccountChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of an account; UNSET: as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    scope: Mapping[str, Any] = {}
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


class Accounts:
    """The accounts of one deployment."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def create(self, *, name: str, role: AccountRole, scope: Scope) -> Account:
        """Make an account, which has no key yet.

        Raises:
            Conflict: there is one of this name.
            Unavailable: PostgreSQL is away.
        """
        values = {
            "id": str(uuid4()),
            "name": name,
            "role": role,
            "created_at": self._clock.now(),
            **columns_of(msgspec.structs.asdict(scope)),
        }
        return await self._write(insert(account).values(values), values["id"])

    async def page(self, *, after: int, limit: int, flagged: bool = False) -> tuple[Account, ...]:
        """Give up to `limit` accounts in the order in which they came, behind number `after`.

        With `flagged` only those that are.

        Raises:
            Unavailable: PostgreSQL is away.
        """
        page = _PAGE.where(account_flag.c.pk.is_not(None)) if flagged else _PAGE
        rows = await read_rows(self._engine, page, {"after": after, "limit": limit})
        return tuple(map(_account, rows))

    async def find(self, account_id: str) -> Account:
        """Give one account.

        Raises:
            NotFound: there is none of this id.
            Unavailable: PostgreSQL is away.
        """
        rows = await read_rows(self._engine, _ONE, {"id": known_form(account_id)})
        if not rows:
            raise NotFound(NO_ACCOUNT)
        return _account(rows[0])

    async def named(self, text: str) -> Account:
        """Give the account of this name or id, for people at a command line.

        Raises:
            NotFound: there is none.
            Unavailable: PostgreSQL is away.
        """
        rows = await read_rows(self._engine, _NAMED, {"text": text})
        if not rows:
            raise NotFound("there is no account of this name or id")
        return _account(rows[0])

    async def change(self, account_id: str, changes: AccountChanges) -> Account:
        """Change an account; its keys follow within a second, on every node.

        A key whose scope is wider than the account's new one has what both hold.

        Raises:
            Conflict: another account has the name.
            NotFound: there is none of this id.
            Unavailable: PostgreSQL is away.
        """
        values: dict[str, Any] = columns_of(changes.scope)
        if changes.name is not msgspec.UNSET:
            values["name"] = changes.name
        if changes.disabled is True:
            values["disabled_at"] = _kept_or(self._clock.now())
        elif changes.disabled is False:
            values["disabled_at"] = None
        if not values:
            return await self.find(account_id)
        statement = update(account).where(account.c.id == known_form(account_id))
        return await self._write(statement.values(values), account_id)

    async def _write(self, statement: Any, account_id: str) -> Account:
        with driver_errors():
            try:
                async with self._engine.begin() as connection:
                    written = await connection.execute(statement.returning(account))
                    for fresh in written.all():
                        await journal_account(connection, self._vault, fresh)
                    row = (await connection.execute(_ONE, {"id": account_id})).one_or_none()
            except IntegrityError:
                raise Conflict("another account has this name") from None
        if row is None:
            raise NotFound(NO_ACCOUNT)
        return _account(row)


NO_ACCOUNT = "no account has this id"


def known_form(text: str) -> str:
    """Read an id as it stands in the database.

    Raises:
        NotFound: it is none, so nothing can have it.
    """
    try:
        known = str(UUID(text))
    except ValueError:
        known = ""
    # UUID reads other forms too, and ours goes into logs as it came.
    if known != text:
        raise NotFound("nothing has this id")
    return known


async def read_rows(
    engine: AsyncEngine, statement: Select[Any], parameters: Mapping[str, Any]
) -> Sequence[Any]:
    """Read all rows of a statement. Raises Unavailable."""

    async def read(connection: AsyncConnection) -> Sequence[Any]:
        rows: Sequence[Any] = (await connection.execute(statement, parameters)).all()
        return rows

    with driver_errors():
        return await attempt(engine, read)


async def lock_account(connection: AsyncConnection, account_id: str) -> Any:
    """Give an account's row, which nobody else changes until the transaction ends.

    Keys may be inserted beside it: they only need it to stay (`FOR NO KEY UPDATE`).

    Raises:
        NotFound: there is none of this id.
    """
    wanted = select(account).where(account.c.id == known_form(account_id))
    statement = wanted.with_for_update(key_share=True)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(NO_ACCOUNT)
    return row


def columns_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Write fields of a scope as columns."""
    services = scope.get("services")
    return dict(scope) | ({} if services is None else {"services": sorted(services)})


def _kept_or(now: datetime) -> Any:
    """Since when it is disabled: from before, if it was already."""
    return func.coalesce(account.c.disabled_at, now)


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        number=row.number,
        name=row.name,
        role=AccountRole(row.role),
        scope=scope_of(row),
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
_ONE = _ACCOUNTS.where(account.c.id == bindparam("id"))
_NAMED = _ACCOUNTS.where(
    or_(account.c.id == bindparam("text"), account.c.name == bindparam("text"))
)
