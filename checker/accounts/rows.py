"""Finds and locks the rows of accounts, for those who change accounts or their keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.accounts.journaled import journal_account
from checker.accounts.keys import AccountRole
from checker.accounts.schema import account
from checker.database.engine import attempt, driver_errors
from checker.domain.court import court_form
from checker.errors import Conflict, Fault, InvalidRequest, NotFound
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.vault import Vault

NO_ACCOUNT: Final = "no account has this id"


def known_form(text: str) -> str:
    """Return an id in the form in which the database stores ids.

    Raises:
        NotFound: the text is no such id, so nothing can have it.
    """
    try:
        known = str(UUID(text))
    except ValueError:
        known = ""
    # `UUID` also reads other forms. Log lines repeat an id as it was sent, so only one form passes.
    if known != text:
        raise NotFound("nothing has this id")
    return known


async def read_rows(
    engine: AsyncEngine, statement: Select[Any], parameters: Mapping[str, Any]
) -> Sequence[Any]:
    """Return all rows of a statement. Raises Unavailable."""

    async def read(connection: AsyncConnection) -> Sequence[Any]:
        rows: Sequence[Any] = (await connection.execute(statement, parameters)).all()
        return rows

    with driver_errors():
        return await attempt(engine, read)


async def lock_account(connection: AsyncConnection, account_id: str) -> Any:
    """Return an account's row, locked until the transaction ends.

    Other transactions may still insert keys that refer to the row (`FOR NO KEY UPDATE`).

    Raises:
        NotFound: no account has this id.
    """
    row = await _locked(connection, account.c.id == known_form(account_id))
    if row is None:
        raise NotFound(NO_ACCOUNT)
    return row


def require_court(role: AccountRole) -> None:
    """Raise InvalidRequest unless the role is a court's: no other account speaks for courts."""
    if role is not AccountRole.COURT:
        fault = Fault("/courts", "only an account of the role court has courts")
        raise InvalidRequest("a field does not go with the role", [fault])


async def lock_named(
    connection: AsyncConnection,
    vault: Vault,
    *,
    name: str,
    role: AccountRole,
    now: datetime,
    by: ActionAuthor,
    courts: Sequence[str] | None = None,
) -> Any:
    """Return the row of the account of this name, locked; the account is made if there is none.

    A new account is logged as made by `by`.

    A new account speaks for `courts`; None: for all courts, or for those that the account has.

    Raises:
        Conflict: the account has another role, or other courts.
        InvalidRequest: there are `courts`, and the role is not a court's.
    """
    if courts is not None:
        require_court(role)
    row = await _locked(connection, account.c.name == name)
    if row is None:
        values = {"id": str(uuid4()), "name": name, "role": role, "created_at": now}
        wanted = None if courts is None else list(courts)
        fresh = insert(account).values(values | {"courts": wanted})
        # Another transaction may make the account at the same time: then that account is taken.
        kept = fresh.on_conflict_do_nothing(index_elements=["name"]).returning(account)
        for made in (await connection.execute(kept)).all():
            await journal_account(connection, vault, made)
            created, details = OperatorAction.CREATE_ACCOUNT, {"name": name, "role": role.value}
            await log_action(connection, vault, created, made.id, by=by, at=now, details=details)
        row = await _locked(connection, account.c.name == name)
        assert row is not None, "accounts are never removed"
    if row.role != role:
        raise Conflict(f"the account of this name has the role {row.role}")
    if courts is not None and (row.courts is None or _forms(courts) != _forms(row.courts)):
        raise Conflict("the account of this name has other courts: change the account first")
    return row


def _forms(courts: Sequence[str]) -> frozenset[str]:
    return frozenset(map(court_form, courts))


async def _locked(connection: AsyncConnection, condition: Any) -> Any:
    statement = select(account).where(condition).with_for_update(key_share=True)
    return (await connection.execute(statement)).one_or_none()
