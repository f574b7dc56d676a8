"""Kept decisions in pages, newest first, for people who look into a figure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.schema import account
from checker.audit.schema import decision, reported_outcome
from checker.database.engine import driver_errors, fetch
from checker.domain.clock import SHANGHAI
from checker.domain.decision import Outcome


class WantedDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions to show: of an account, by a measure, of a day of Shanghai, with one outcome.

    `is_unreported`: only refusals and reviews without a reported outcome. None: all.
    """

    account_id: str | None = None
    measure: str | None = None
    day: date | None = None
    outcome: Outcome | None = None
    is_unreported: bool = False


class DecisionRowShown(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. `account` is None for a check on the command line."""

    id: str
    at: datetime
    account_id: str | None
    account: str | None
    service: str
    outcome: Outcome
    measures: tuple[str, ...]
    reported: str | None


async def read_decisions(
    engine: AsyncEngine, wanted: WantedDecisions, *, before: str | None, limit: int
) -> tuple[DecisionRowShown, ...]:
    """Return up to `limit` decisions, newest first, with ids below `before`.

    Raises:
        Unavailable: PostgreSQL is away, or no page is found within the time of a statement.
    """
    page = _PAGE
    for condition in _conditions(wanted):
        page = page.where(condition)
    if before is not None:
        page = page.where(decision.c.id < before)
    with driver_errors():
        rows = await fetch(engine, page, {"limit": limit})
    return tuple(_shown(row) for row in rows)


def _conditions(wanted: WantedDecisions) -> list[Any]:
    found: list[Any] = []
    if wanted.account_id is not None:
        found.append(decision.c.account_id == wanted.account_id)
    if wanted.measure is not None:
        found.append(decision.c.reasons.contains([{"measure": wanted.measure}]))
    if wanted.outcome is not None:
        found.append(decision.c.outcome == wanted.outcome)
    if wanted.day is not None:
        since = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=SHANGHAI)
        found += [decision.c.at >= since, decision.c.at < since + timedelta(days=1)]
    if wanted.is_unreported:
        found += [decision.c.outcome.in_((Outcome.DENY, Outcome.REVIEW)), _REPORTED.is_(None)]
    return found


def _shown(row: Mapping[Any, Any]) -> DecisionRowShown:
    measures = dict.fromkeys(reason["measure"] for reason in row["reasons"])
    return DecisionRowShown(
        id=row["text_id"],
        at=row["at"],
        account_id=row["account_id"],
        account=row["account"],
        service=row["service"],
        outcome=Outcome(row["outcome"]),
        measures=tuple(measures),
        reported=row["reported"],
    )


_REPORTED = (
    select(reported_outcome.c.outcome)
    .where(reported_outcome.c.decision_id == decision.c.id)
    .order_by(reported_outcome.c.pk.desc())
    .limit(1)
    .scalar_subquery()
)
_PAGE = (
    select(
        cast(decision.c.id, Text).label("text_id"),
        decision.c.at,
        decision.c.account_id,
        decision.c.service,
        decision.c.outcome,
        decision.c.reasons,
        account.c.name.label("account"),
        _REPORTED.label("reported"),
    )
    .outerjoin_from(decision, account, account.c.id == decision.c.account_id)
    .order_by(decision.c.id.desc())
    .limit(bindparam("limit"))
)
