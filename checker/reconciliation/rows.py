"""Reconciliations in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, any_, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.reconciliation.job import Interruption, Reconciliation, ReconciliationStatus
from checker.reconciliation.schema import reconciliation, reconciliation_result

FORGOTTEN_AT_ONCE = 5_000
"""Results in one statement: some tens of milliseconds."""


async def write(connection: AsyncConnection, row: dict[str, Any]) -> Reconciliation:
    """Write a new reconciliation, and return it."""
    written = insert(reconciliation).values(row).returning(reconciliation)
    return _read((await connection.execute(written)).one())


async def write_results(
    connection: AsyncConnection, number: int, progress: dict[str, Any], results: Sequence[Any]
) -> None:
    """Write the progress of a reconciliation, and the results of the lines so far."""
    if results:
        await connection.execute(insert(reconciliation_result), list(results))
    await connection.execute(
        update(reconciliation).where(reconciliation.c.pk == number).values(progress)
    )


async def end(
    connection: AsyncConnection, number: int, now: datetime, reason: Interruption | None
) -> Reconciliation:
    """Write the end of a reconciliation, or why it was interrupted; return it. The first end
    stands.
    """
    status = ReconciliationStatus.DONE if reason is None else ReconciliationStatus.INTERRUPTED
    ended = {"status": status, "reason": reason, "ended_at": now, "touched_at": now}
    runs = reconciliation.c.status == ReconciliationStatus.RUNNING
    await connection.execute(
        update(reconciliation).where(reconciliation.c.pk == number, runs).values(ended)
    )
    wanted = select(reconciliation).where(reconciliation.c.pk == number)
    return _read((await connection.execute(wanted)).one())


async def touch(connection: AsyncConnection, ids: Collection[str], now: datetime) -> None:
    """Note that reconciliations are still worked on."""
    await connection.execute(_TOUCH, {"ids": list(ids), "now": now})


async def find(
    connection: AsyncConnection, account_id: str, reconciliation_id: str
) -> Reconciliation | None:
    """Return a reconciliation of an account, or None. An id that is no UUID is unknown."""
    try:
        known_by = str(UUID(reconciliation_id))
    except ValueError:
        return None
    row = await connection.execute(_FIND, {"account_id": account_id, "id": known_by})
    found = row.one_or_none()
    return None if found is None else _read(found)


async def read_page(
    connection: AsyncConnection, account_id: str, after: int, limit: int
) -> tuple[Reconciliation, ...]:
    """Return up to `limit` reconciliations of an account behind number `after`, oldest first."""
    parameters = {"account_id": account_id, "after": after, "limit": limit}
    return tuple(_read(row) for row in await connection.execute(_PAGE, parameters))


async def read_results(
    connection: AsyncConnection, number: int, after: int, limit: int
) -> Sequence[Any]:
    """Return up to `limit` rows of results behind the line `after`, in the order of their lines."""
    parameters = {"number": number, "after": after, "limit": limit}
    rows: Sequence[Any] = (await connection.execute(_RESULTS, parameters)).all()
    return rows


async def forget(connection: AsyncConnection, before: datetime) -> bool:
    """Delete some rows of a reconciliation that began before an instant. Return False if none is
    left.
    """
    old = await connection.execute(_OLD, {"before": before})
    number = old.scalar_one_or_none()
    if number is None:
        return False
    removed = await connection.execute(_FORGET, {"number": number})
    if removed.rowcount < FORGOTTEN_AT_ONCE:
        await connection.execute(delete(reconciliation).where(reconciliation.c.pk == number))
    return True


def _read(row: Any) -> Reconciliation:
    return Reconciliation(
        number=row.pk,
        id=row.id,
        status=ReconciliationStatus(row.status),
        reason=None if row.reason is None else Interruption(row.reason),
        created_at=row.created_at,
        touched_at=row.touched_at,
        ended_at=row.ended_at,
        lines=row.lines,
        adverse=row.adverse,
        rejected=row.rejected,
    )


_of_account = reconciliation.c.account_id == bindparam("account_id")
_FIND = select(reconciliation).where(_of_account, reconciliation.c.id == bindparam("id"))
_PAGE = (
    select(reconciliation)
    .where(_of_account, reconciliation.c.pk > bindparam("after"))
    .order_by(reconciliation.c.pk)
    .limit(bindparam("limit"))
)
_of_number = reconciliation_result.c.reconciliation_pk == bindparam("number")
_RESULTS = (
    select(reconciliation_result)
    .where(_of_number, reconciliation_result.c.line > bindparam("after"))
    .order_by(reconciliation_result.c.line)
    .limit(bindparam("limit"))
)
_TOUCH = (
    update(reconciliation)
    .where(reconciliation.c.id == any_(bindparam("ids", type_=ARRAY(reconciliation.c.id.type))))
    .values(touched_at=bindparam("now"))
)
_OLD = (
    select(reconciliation.c.pk)
    .where(reconciliation.c.created_at < bindparam("before"))
    .order_by(reconciliation.c.created_at)
    .limit(1)
)
_FORGET = delete(reconciliation_result).where(
    _of_number,
    reconciliation_result.c.line.in_(
        select(reconciliation_result.c.line).where(_of_number).limit(FORGOTTEN_AT_ONCE)
    ),
)
