"""Puts the next key's tokens in the place of those in use: one transaction, behind the fence.

In this order, all or nothing:

1. the fence is held alone: every transaction of before has ended, and no other one begins
   (`checker.database.token_fence`); then all tables with tokens, because some reads have no
   transaction
2. the rows that lack the next key's tokens get them (`checker.rotation.token_copy`)
3. the columns change their names, and indexes and constraints follow
4. the fence gets the name of the next key, and the key counts as current

Everybody waits meanwhile: a tenth of a second, and longer where PostgreSQL looks through a large
table for rows without a token (`SET NOT NULL`). A transaction that has lasted longer than the swap
would wait is not waited for, because everybody else would wait too: the swap looks first, and comes
later.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.token_fence import FENCE
from checker.errors import Conflict
from checker.rotation.altering import alter, is_locked
from checker.rotation.token_copy import (
    TableIndex,
    copy_last,
    missing_index,
    token_indexes,
)
from checker.rotation.token_tables import (
    TOKEN_TABLES,
    KeyChange,
    TokenPlace,
    next_column,
    old_column,
)

LOCK_WAIT_MS: Final = 200
LOCK_WAIT_LATER_MS: Final = 1_500
"""PostgreSQL ends its own vacuum for whoever has waited a second for the table."""

TRIES_EARLY: Final = 20
PAUSE_S: Final = 0.5
"""Between two tries: those who waited behind the swap go on."""

_IS_HELD = text(
    """
    SELECT EXISTS (
        SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE relation = CAST(:fence AS regclass) AND granted AND pid <> pg_backend_pid()
        AND xact_start < clock_timestamp() - make_interval(secs => :wait_s)
    )
    """
)
"""Whether a transaction behind the fence has lasted for longer than this time."""

_CHECKS = text(
    """
    SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = CAST(:table AS regclass) AND contype = 'c' AND EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)
        AND attname = ANY(CAST(:columns AS text[])))
    """
)
_REQUIRED = text(
    "SELECT CAST(attname AS text) FROM pg_attribute"
    " WHERE attrelid = CAST(:table AS regclass) AND attnotnull"
    " AND attname = ANY(CAST(:columns AS text[]))"
)
_CURRENT = text("UPDATE token_key SET current_from = clock_timestamp() WHERE number = :number")


class _TableSwap(msgspec.Struct, frozen=True, kw_only=True):
    """The statements that change one table, and its constraints to prove afterwards."""

    statements: Sequence[str]
    unproven: Sequence[str]


async def swap(
    engine: AsyncEngine, change: KeyChange, *, wait_s: float
) -> Sequence[tuple[str, str]]:
    """Put the next key's tokens in the place of those in use.

    Returns tables and constraints for `prove`. This process must use the next key before.

    Raises:
        Conflict: somebody has held a table all the time.
    """
    async with engine.connect() as connection:
        plans = {each.table: await _plan(connection, each) for each in TOKEN_TABLES}
    fence, tries = f"{FENCE}{change.before.number}", 0
    for _ in range(max(1, int(wait_s / PAUSE_S))):
        lock_wait_ms = LOCK_WAIT_MS if tries < TRIES_EARLY else LOCK_WAIT_LATER_MS
        if not await _is_held(engine, fence, lock_wait_ms / 1_000):
            tries += 1
            try:
                async with engine.begin() as connection:
                    await _swap(connection, change, plans, lock_wait_ms)
                break
            except DBAPIError as error:
                if not is_locked(error):
                    raise
        await asyncio.sleep(PAUSE_S)
    else:
        raise Conflict("somebody holds a table with tokens all the time: run this again")
    return [(table, name) for table, plan in plans.items() for name in plan.unproven]


async def prove(engine: AsyncEngine, unproven: Sequence[tuple[str, str]]) -> None:
    """Let PostgreSQL look at all rows for constraints that `swap` has put on further columns."""
    for table, name in unproven:
        await alter(engine, table, f"VALIDATE CONSTRAINT {name}")


async def _is_held(engine: AsyncEngine, fence: str, wait_s: float) -> bool:
    async with engine.connect() as connection:
        wanted = {"fence": fence, "wait_s": wait_s}
        is_held: bool = (await connection.execute(_IS_HELD, wanted)).scalar_one()
    return is_held


async def _swap(
    connection: AsyncConnection,
    change: KeyChange,
    plans: Mapping[str, _TableSwap],
    lock_wait_ms: int,
) -> None:
    fence = f"{FENCE}{change.before.number}"
    # Before the transaction's first statement this process has held the fence with the others.
    await connection.execute(text(f"SET LOCAL lock_timeout = {lock_wait_ms}"))
    await connection.execute(text(f"LOCK TABLE {fence} IN ACCESS EXCLUSIVE MODE"))
    tables = ", ".join(each.table for each in TOKEN_TABLES)
    await connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
    await connection.execute(text("SET LOCAL enable_seqscan = off"))
    for table in TOKEN_TABLES:
        await copy_last(connection, table, change)
        for statement in plans[table.table].statements:
            await connection.execute(text(statement))
    await connection.execute(text(f"ALTER TABLE {fence} RENAME TO {FENCE}{change.after.number}"))
    await connection.execute(_CURRENT, {"number": change.after.number})


async def _plan(connection: AsyncConnection, table: TokenPlace) -> _TableSwap:
    name = table.table
    wanted = {"table": name, "columns": list(table.columns)}
    required = set((await connection.execute(_REQUIRED, wanted)).scalars())
    checks = (await connection.execute(_CHECKS, wanted)).all()
    indexes = await token_indexes(connection, table)
    statements = [
        f"DROP INDEX IF EXISTS {missing_index(table)}",
        *[_drop(name, each) for each in indexes],
        *[f"ALTER TABLE {name} DROP CONSTRAINT {each.name}" for each in checks],
    ]
    for column in table.columns:
        statements += _rename(name, column, is_required=column in required)
    statements += [
        *[_take_over(name, each) for each in indexes],
        *[
            f"ALTER TABLE {name} ADD CONSTRAINT {each.name} {each.definition} NOT VALID"
            for each in checks
        ],
    ]
    return _TableSwap(statements=statements, unproven=[each.name for each in checks])


def _rename(table: str, column: str, *, is_required: bool) -> list[str]:
    statements = [
        f"ALTER TABLE {table} RENAME COLUMN {column} TO {old_column(column)}",
        f"ALTER TABLE {table} RENAME COLUMN {next_column(column)} TO {column}",
    ]
    if is_required:
        statements += [
            f"ALTER TABLE {table} ALTER COLUMN {old_column(column)} DROP NOT NULL",
            f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL",
        ]
    return statements


def _drop(table: str, index: TableIndex) -> str:
    if index.constraint is None:
        return f"DROP INDEX {index.name}"
    return f"ALTER TABLE {table} DROP CONSTRAINT {index.constraint}"


def _take_over(table: str, index: TableIndex) -> str:
    if index.constraint is None:
        return f"ALTER INDEX {index.next_name} RENAME TO {index.name}"
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {index.constraint}"
        f" PRIMARY KEY USING INDEX {index.next_name}"
    )
