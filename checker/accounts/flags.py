"""Flags on accounts that seem to fish.

The watch flags an account, and the flag slows the account until an instant. An operator clears the
flag. Cleared flags stay in the database, because they explain later why an account was slowed.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.journaled import journal_flag
from checker.accounts.schema import account_flag
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.domain.fishing import FishingGround, Suspicion
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.vault import Vault


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """The reason and the instant of a flag.

    The account is slowed until `slowed_until`, and flagged until an operator clears the flag.
    """

    ground: FishingGround
    at: datetime
    slowed_until: datetime
    items: int
    marked: int
    kind_share: float


class Flags:
    """The flags of one deployment's accounts."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def flag(
        self, account_id: str, suspicion: Suspicion, *, counted_from: datetime, slowed: timedelta
    ) -> bool:
        """Flag an account, and return whether the database has changed.

        In order of precedence:

        - An operator has cleared a flag of the account since `counted_from`: nothing changes,
          because the operator has judged the same counts already. Returns False.
        - The account is slowed now: nothing changes. Returns False.
        - The account has a flag whose slowing is over: the flag slows again. Returns True.
        - The account has no open flag: it gets one. Returns True.

        Raises:
            Unavailable: PostgreSQL is away.
        """
        now = self._clock.now()
        values = {
            "account_id": account_id,
            "at": now,
            "slowed_until": now + slowed,
            **msgspec.structs.asdict(suspicion),
        }
        cleared = exists().where(
            account_flag.c.account_id == account_id, account_flag.c.cleared_at >= counted_from
        )
        columns = [account_flag.c[name] for name in values]
        given = select(
            *(literal(value, account_flag.c[name].type) for name, value in values.items())
        ).where(~cleared)
        raised = insert(account_flag).from_select(columns, given)
        statement = raised.on_conflict_do_update(
            index_elements=["account_id"],
            index_where=account_flag.c.cleared_at.is_(None),
            set_={name: raised.excluded[name] for name in values if name != "account_id"},
            where=account_flag.c.slowed_until <= now,
        ).returning(account_flag)
        with driver_errors():
            async with self._engine.begin() as connection:
                row = (await connection.execute(statement)).one_or_none()
                if row is not None:
                    await journal_flag(connection, self._vault, row)
                return row is not None

    async def clear(self, account_id: str, *, by: ActionAuthor) -> None:
        """Clear the open flag of an account, if there is one, and log the action of `by`.

        Raises:
            Unavailable: PostgreSQL is away.
        """
        now = self._clock.now()
        values = {"account": account_id, "now": now, "operator": by.account_id}
        cleared = OperatorAction.CLEAR_FLAG
        with driver_errors():
            async with self._engine.begin() as connection:
                for row in (await connection.execute(_CLEAR, values)).all():
                    await journal_flag(connection, self._vault, row)
                    await log_action(connection, self._vault, cleared, account_id, by=by, at=now)


def flag_of(row: Any) -> Flag | None:
    """Return the flag of a row that was joined with `account_flag`; None: there is no flag."""
    if row.ground is None:
        return None
    return Flag(
        ground=FishingGround(row.ground),
        at=row.at,
        slowed_until=row.slowed_until,
        items=row.items,
        marked=row.marked,
        kind_share=row.kind_share,
    )


_CLEAR = (
    update(account_flag)
    .where(account_flag.c.account_id == bindparam("account"))
    .where(account_flag.c.cleared_at.is_(None))
    .values(cleared_at=bindparam("now"), cleared_by=bindparam("operator"))
    .returning(account_flag)
)
