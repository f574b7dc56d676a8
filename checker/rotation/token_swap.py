"""Puts the next key's tokens in the place of those in use: one transaction, behind the fence.

In this order, all or nothing:

1. the fence is held alone: every transaction of before has ended, and no other one begins
   (`checker.database.token_fence`); then all tables with tokens, because some reads have no
   transaction
2. the rows that lack the next key's tokens get them (`checker.rotation.token_copy`)
3. the columns change their names, and indexes and constraints follow
4. the fence gets the name of the next key, and the key counts as current

Everybody waits meanwhile: some tenths of a second. Constraints that look at all rows come
afterwards (`checker.rotation.token_constraints`). A transaction that has lasted longer than the
swap would wait is not waited for, because everybody else would wait too: the swap looks first, and
comes later.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.token_fence import FENCE
from checker.errors import Conflict
from checker.rotation.altering import is_locked
from checker.rotation.token_constraints import required_check
from checker.rotation.token_copy import (
    TableIndex,
    copy_last,
    copy_missing,
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
"""PostgreSQL ends its own vacuum when somebody has waited a second for the table."""

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
_CURRENT = text("UPDATE token_key SET current_from = clock_timestamp() WHERE number = :number")


async def swap(engine: AsyncEngine, change: KeyChange, *, wait_s: float) -> None:
    """Put the next key's tokens in the place of those in use.

    This process must use the next key afterwards.

    Raises:
        Conflict: somebody has held a table all the time.
    """
    async with engine.connect() as connection:
        script = [each for place in TOKEN_TABLES for each in await _script(connection, place)]
    fence, tries = f"{FENCE}{change.before.number}", 0
    script.append(f"ALTER TABLE {fence} RENAME TO {FENCE}{change.after.number}")
    for _ in range(max(1, int(wait_s / PAUSE_S))):
        lock_wait_ms = LOCK_WAIT_MS if tries < TRIES_EARLY else LOCK_WAIT_LATER_MS
        for place in TOKEN_TABLES:
            await copy_missing(engine, place, change)
        if not await _is_held(engine, fence, lock_wait_ms / 1_000):
            tries += 1
            try:
                async with engine.begin() as connection:
                    await _swap(connection, change, script, lock_wait_ms)
                break
            except DBAPIError as error:
                if not is_locked(error):
                    raise
        await asyncio.sleep(PAUSE_S)
    else:
        raise Conflict("somebody holds a table with tokens all the time: run this again")


async def _is_held(engine: AsyncEngine, fence: str, wait_s: float) -> bool:
    async with engine.connect() as connection:
        wanted = {"fence": fence, "wait_s": wait_s}
        is_held: bool = (await connection.execute(_IS_HELD, wanted)).scalar_one()
    return is_held


async def _swap(
    connection: AsyncConnection, change: KeyChange, script: Sequence[str], lock_wait_ms: int
) -> None:
    fence = f"{FENCE}{change.before.number}"
    # Before the transaction's first statement this process has held the fence with the others.
    await connection.execute(text(f"SET LOCAL lock_timeout = {lock_wait_ms}"))
    await connection.execute(text(f"LOCK TABLE {fence} IN ACCESS EXCLUSIVE MODE"))
    tables = ", ".join(each.table for each in TOKEN_TABLES)
    await connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
    for place in TOKEN_TABLES:
        await copy_last(connection, place, change)
    # All in one message: some sixty statements, and everybody waits.
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    await raw.driver_connection.execute(";".join(script))
    await connection.execute(_CURRENT, {"number": change.after.number})


async def _script(connection: AsyncConnection, place: TokenPlace) -> list[str]:
    """Return the statements that change one table."""
    table = place.table
    wanted = {"table": table, "columns": list(place.columns)}
    checks = (await connection.execute(_CHECKS, wanted)).all()
    indexes = await token_indexes(connection, place)
    script = [
        f"DROP INDEX IF EXISTS {missing_index(place)}",
        *[_drop(table, each) for each in indexes],
        *[f"ALTER TABLE {table} DROP CONSTRAINT {each.name}" for each in checks],
    ]
    for column in place.columns:
        script += _rename(table, column, is_required=column in place.required)
    return [
        *script,
        *[f"ALTER INDEX {each.next_name} RENAME TO {each.name}" for each in indexes],
        *[
            f"ALTER TABLE {table} ADD CONSTRAINT {each.name} {each.definition} NOT VALID"
            for each in checks
        ],
    ]


def _rename(table: str, column: str, *, is_required: bool) -> list[str]:
    statements = [
        f"ALTER TABLE {table} RENAME COLUMN {column} TO {old_column(column)}",
        f"ALTER TABLE {table} RENAME COLUMN {next_column(column)} TO {column}",
    ]
    if is_required:
        name = required_check(table, column)
        statements += [
            f"ALTER TABLE {table} ALTER COLUMN {old_column(column)} DROP NOT NULL",
            f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID",
        ]
    return statements


def _drop(table: str, index: TableIndex) -> str:
    if index.constraint is None:
        return f"DROP INDEX {index.name}"
    return f"ALTER TABLE {table} DROP CONSTRAINT {index.constraint}"
