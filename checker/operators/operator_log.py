"""The log of operators' actions: read in pages, and kept around actions of several steps."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, column, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.clock import Clock
from checker.errors import Unavailable
from checker.operators.action import ActionAuthor, ActionOutcome, Door, OperatorAction
from checker.operators.entries import log_action
from checker.operators.schema import operator_action
from checker.vault import Vault


class LoggedAction(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `account` is the name of the author's account, and `key` the start of its key.

    Both are None for a command on the server itself.
    """

    number: int
    at: datetime
    door: Door
    account_id: str | None
    account: str | None
    key: str | None
    action: str
    target: str | None
    outcome: ActionOutcome
    details: dict[str, Any]


class ActionResult:
    """The details that an action of several steps has found out by its end."""

    def __init__(self) -> None:
        self.details: dict[str, Any] = {}


class OperatorLog:
    """The log of one deployment."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def page(
        self, *, before: int | None, limit: int, target: str | None = None
    ) -> tuple[LoggedAction, ...]:
        """Return up to `limit` entries, newest first, with numbers below `before`.

        With `target` only the entries about this target, or about a key of this account. Raises
        Unavailable.
        """
        wanted = _PAGE
        if before is not None:
            wanted = wanted.where(operator_action.c.pk < before)
        if target is not None:
            of_account = operator_action.c.details.contains({"account": target})
            wanted = wanted.where((operator_action.c.target == target) | of_account)
        with driver_errors():
            rows = await fetch(self._engine, wanted, {"limit": limit})
        # The names of labels are a subclass of `str`, which msgspec refuses as keys.
        return tuple(
            msgspec.convert({str(name): value for name, value in row.items()}, LoggedAction)
            for row in rows
        )

    @asynccontextmanager
    async def around(
        self,
        action: OperatorAction,
        target: str | None,
        *,
        by: ActionAuthor,
        details: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[ActionResult]:
        """Log that an action begins, and how it ends.

        An entry `begun` stands before the action starts. If the process dies in the middle, this
        entry is the last one.

        Raises:
            Unavailable: PostgreSQL is away. Before the action: nothing is done.
        """
        begun = {"details": details or {}, "outcome": ActionOutcome.BEGUN}
        number = await self._write(action, target, by, **begun)
        result = ActionResult()
        try:
            yield result
        except BaseException:
            failed = {"details": {"begun": number}, "outcome": ActionOutcome.FAILED}
            with suppress(Unavailable):  # the error of the action itself is raised
                await self._write(action, target, by, **failed)
            raise
        done = {"details": {"begun": number, **result.details}, "outcome": ActionOutcome.DONE}
        await self._write(action, target, by, **done)

    async def _write(
        self, action: OperatorAction, target: str | None, by: ActionAuthor, **entry: Any
    ) -> int:
        now = self._clock.now()
        with driver_errors():
            async with self._engine.begin() as connection:
                return await log_action(
                    connection, self._vault, action, target, by=by, at=now, **entry
                )


# The tables of accounts, which this place may not import.
_account = table("account", column("id"), column("name"))
_api_key = table("api_key", column("pk"), column("prefix"))
_PAGE = (
    select(
        operator_action.c.pk.label("number"),
        *(
            operator_action.c[name]
            for name in ("at", "door", "account_id", "action", "target", "outcome", "details")
        ),
        _account.c.name.label("account"),
        _api_key.c.prefix.label("key"),
    )
    .outerjoin_from(operator_action, _account, _account.c.id == operator_action.c.account_id)
    .outerjoin(_api_key, _api_key.c.pk == operator_action.c.key_pk)
    .order_by(operator_action.c.pk.desc())
    .limit(bindparam("limit"))
)
