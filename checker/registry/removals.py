"""Listings whose duty is fulfilled and that the court has not removed yet, the oldest first."""

from datetime import date

import msgspec
from sqlalchemy import bindparam, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.deadlines import Deadlines, DueDay
from checker.domain.standing import removal_due
from checker.registry.schema import directive, listing
from checker.registry.summary import directs, in_force_on

_FULFILMENT = directive.alias("fulfilment")


class WaitingRemoval(msgspec.Struct, frozen=True, kw_only=True):
    """A listing that waits for its removal. `number` is that of the fulfilment."""

    number: int
    listing_id: str
    case_number: str
    court: str
    fulfilled_on: date
    due: DueDay


async def read_removals(
    engine: AsyncEngine,
    today: date,
    deadlines: Deadlines,
    *,
    after: tuple[date, int] | None,
    limit: int,
) -> tuple[WaitingRemoval, ...]:
    """Return up to `limit` removals behind the fulfilment `after` (day and number), oldest first.

    These are the listings that `summarize` counts as overdue, and those whose days still run.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    page = (
        select(
            _FULFILMENT.c.pk,
            _FULFILMENT.c.on,
            listing.c.id,
            listing.c.case_number,
            listing.c.court,
        )
        .join_from(listing, _FULFILMENT, directs(_FULFILMENT, "fulfilment"))
        .where(
            in_force_on(today),
            _FULFILMENT.c.on <= today,
            or_(listing.c.expires_on.is_(None), listing.c.expires_on > today),
        )
        .order_by(_FULFILMENT.c.on, _FULFILMENT.c.pk)
        .limit(bindparam("limit"))
    )
    if after is not None:
        page = page.where(tuple_(_FULFILMENT.c.on, _FULFILMENT.c.pk) > tuple_(*after))
    with driver_errors():
        rows = await fetch(engine, page, {"limit": limit})
    return tuple(
        WaitingRemoval(
            number=row["pk"],
            listing_id=row["id"],
            case_number=row["case_number"],
            court=row["court"],
            fulfilled_on=row["on"],
            due=removal_due(row["on"], deadlines),
        )
        for row in rows
    )
