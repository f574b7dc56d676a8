"""The months of decisions: makes the coming ones, and removes those whose time is over.

Each calendar month of Shanghai has a partition of `decision`, made before the month begins.
Decisions of other times stand in `decision_month.rest` until their month is made. A month is
removed as a whole, once all of it is older than the retention period and all of it is chained. The
removal itself is a link of the chain, with the number of removed rows.

    decision_month.y2026m11    [2026-11-01, 2026-12-01) in Asia/Shanghai
    decision_month.rest        everything else
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.chain import DECISION_CHAIN, Content, put_link
from checker.audit.journaled import journal_removal
from checker.audit.kept import what_is_kept
from checker.audit.schema import chain_link, decision, removal, reported_outcome, unchained
from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import (
    CapPeriod,
    month_range,
    period_end,
    period_start,
    shanghai_day,
)
from checker.vault import Vault

SCHEMA: Final = "decision_month"
MONTHS_AHEAD: Final = 2
"""Months that are made ahead besides the present one, so that a keeper may be away for a month."""

LOCK_WAIT: Final = "1s"
"""How long a change of partitions waits for its lock. Answers wait behind it."""

_name = "y{0.year}m{0.month:02}".format


class Months:
    """Makes and removes months. `engine` is one without a bound on statements."""

    def __init__(self, engine: AsyncEngine, vault: Vault, keep_months: int) -> None:
        self._engine = engine
        self._vault = vault
        self._keep_months = keep_months

    async def prepare(self, now: datetime) -> Sequence[date]:
        """Make the months that are due, fill them from the rest, and return their first days.

        Raises:
            Unavailable: PostgreSQL is away, or another transaction holds the table for too long.
        """
        made = []
        with driver_errors():
            async with self._engine.connect() as connection:
                there = await _months(connection)
                due = {*_ahead(now), *await _months_of_the_rest(connection)}
            for month in sorted(due - there):
                async with self._engine.begin() as connection:
                    await _make(connection, month)
                made.append(month)
        return made

    async def remove_old(self, now: datetime) -> Sequence[date]:
        """Remove the months older than `keep_months` months, and return their first days.

        Raises:
            Unavailable: PostgreSQL is away, or another transaction holds the table for too long.
        """
        removed = []
        with driver_errors():
            async with self._engine.connect() as connection:
                there = await _months(connection)
            kept_from = _months_before(shanghai_day(now).replace(day=1), self._keep_months)
            for month in sorted(each for each in there if each < kept_from):
                async with self._engine.begin() as connection:
                    if not await _remove(connection, self._vault, month, now):
                        break
                removed.append(month)
        return removed


async def _months(connection: AsyncConnection) -> set[date]:
    tables = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
    names = (await connection.execute(tables, {"schema": SCHEMA})).scalars()
    return {date(int(name[1:5]), int(name[6:]), 1) for name in names if name != "rest"}


async def _months_of_the_rest(connection: AsyncConnection) -> set[date]:
    """Return the months that have rows in the rest."""
    of_rest = text(
        "SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'Asia/Shanghai')::date"
        " FROM decision_month.rest"
    )
    return set((await connection.execute(of_rest)).scalars())


async def _make(connection: AsyncConnection, month: date) -> None:
    """Make a month beside the table, fill it from the rest, and attach it."""
    start, end = (instant.isoformat() for instant in month_range(month))
    name = f"{SCHEMA}.{_name(month)}"
    of_month = f"at >= '{start}' AND at < '{end}'"
    moved = f"DELETE FROM {SCHEMA}.rest WHERE {of_month} RETURNING *"  # noqa: S608 - our own names
    trigger = f"month_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} FOR EACH STATEMENT"
    commands = (
        f"SET LOCAL lock_timeout = '{LOCK_WAIT}'",
        "SET LOCAL checker.moves_months = 'on'",
        # A writer of a decision waits here before PostgreSQL chooses the partition. Otherwise a row
        # that was meant for the rest could not be written once the month is there.
        "LOCK TABLE decision IN SHARE ROW EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE decision INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608 - our own names
        f"ALTER TABLE decision ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')",
        f"CREATE TRIGGER {trigger} EXECUTE FUNCTION refuse_to_change_decisions()",
    )
    for command in commands:
        await connection.execute(text(command))


async def _remove(connection: AsyncConnection, vault: Vault, month: date, now: datetime) -> bool:
    """Remove a month and chain its removal. Return False if some of it is not chained yet."""
    start, end = month_range(month)
    await hold_to_commit(connection, Lock.CHAIN)
    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
    await connection.execute(text("SET LOCAL checker.moves_months = 'on'"))
    waiting = select(func.count()).select_from(unchained).where(unchained.c.decision_at < end)
    if (await connection.execute(waiting)).scalar_one():
        return False
    counting = (
        select(func.count())
        .select_from(decision)
        .where(decision.c.at >= start, decision.c.at < end)
    )
    decisions = (await connection.execute(counting)).scalar_one()
    name = f"{SCHEMA}.{_name(month)}"
    await connection.execute(text(f"ALTER TABLE decision DETACH PARTITION {name}"))
    await connection.execute(text(f"DROP TABLE {name}"))
    gone = delete(reported_outcome).where(
        reported_outcome.c.decision_at >= start, reported_outcome.c.decision_at < end
    )
    reports = (await connection.execute(gone)).rowcount
    left = (await connection.execute(counting)).scalar_one()
    assert left == 0, "a month that is dropped leaves no row"
    before = await what_is_kept(connection)
    head = await DECISION_CHAIN.read_head(connection)
    first = await _first_kept(connection, end) or head.number + 1
    row: dict[str, Any] = {
        "month": month,
        "at": now,
        "decisions": decisions,
        "reported_outcomes": reports,
        "kept_since": end if before.since is None else max(before.since, end),
        "first_link": first,
        # If no more links are forgotten, the link before the first one was forgotten earlier.
        "digest_before": before.digest_before
        if first == before.first_link
        else await _digest_of(connection, first - 1),
    }
    kept = (await connection.execute(insert(removal).values(row).returning(removal))).mappings()
    removed = kept.one()
    await put_link(
        connection, Content(kind="removal", row=dict(removed)), {"removal_pk": removed["pk"]}
    )
    await journal_removal(connection, vault, removed)
    await connection.execute(delete(chain_link).where(chain_link.c.number < first))
    return True


async def _first_kept(connection: AsyncConnection, end: datetime) -> int | None:
    """Return the first link of a row that is still kept. Earlier links may be forgotten."""
    first = select(func.min(chain_link.c.number)).where(chain_link.c.decision_at >= end)
    number: int | None = (await connection.execute(first)).scalar_one()
    return number


async def _digest_of(connection: AsyncConnection, number: int) -> bytes:
    found = select(chain_link.c.digest).where(chain_link.c.number == number)
    digest: bytes = (await connection.execute(found)).scalar_one()
    return digest


def _ahead(now: datetime) -> list[date]:
    """Return the first days of the present month and of the months that are made ahead."""
    days = []
    instant = now
    for _ in range(MONTHS_AHEAD + 1):
        days.append(shanghai_day(period_start(CapPeriod.MONTH, instant)))
        instant = period_end(CapPeriod.MONTH, instant)
    return days


def _months_before(first_day: date, months: int) -> date:
    whole = first_day.year * 12 + first_day.month - 1 - months
    return date(whole // 12, whole % 12 + 1, 1)
