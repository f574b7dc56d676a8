"""Copies all tokens into columns of the next key, beside those in use, while the service writes.

A process that writes knows nothing of the further columns: a row that comes has none of the next
key's tokens, and is found by the next walk. `checker.rotation.token_swap` takes the last rows, when
nobody writes.

A table is walked by ranges of its blocks, as in `checker.rotation.sealing_again`.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.errors import Conflict
from checker.rotation.altering import MAY_SEAL_AGAIN, alter, is_locked
from checker.rotation.token_tables import KeyChange, TokenPlace, next_column

BLOCKS: Final = 32
"""Of 8 kB each. Somebody who writes one of these rows waits until the batch is written."""

WALKS_MAX: Final = 5

FEW_ROWS: Final = 1_000
"""The swap takes so many rows of a table by itself, and everybody waits for them."""

BY_INDEX: Final = text("SET LOCAL enable_seqscan = off")
"""Lets a transaction find the rows that lack the next key's tokens by their index."""

_BLOCKS = text(
    "SELECT pg_relation_size(CAST(:table AS regclass))"
    " / CAST(current_setting('block_size') AS bigint)"
)
_INDEXES = text(
    """
    SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, i.indisvalid AS is_valid,
           k.conname AS "constraint"
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
    WHERE i.indrelid = CAST(:table AS regclass) ORDER BY c.relname
    """
)


class TableIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index with a column of tokens; `constraint` is that of a primary key, or None."""

    name: str
    definition: str
    is_valid: bool
    constraint: str | None

    @property
    def next_name(self) -> str:
        """The name of the same index over the columns of the next key."""
        return f"{self.name}_next"


Progress = Callable[[int], None]
"""Gets the number of rows that are copied so far."""


async def add_columns(engine: AsyncEngine, table: TokenPlace) -> None:
    """Give a table the columns of the next key, where it lacks them."""
    columns = ", ".join(
        f"ADD COLUMN IF NOT EXISTS {next_column(each)} bytea" for each in table.columns
    )
    await alter(engine, table.table, columns)


async def copy_tokens(
    engine: AsyncEngine, table: TokenPlace, change: KeyChange, progress: Progress
) -> int:
    """Copy the tokens of all rows that lack the next key's; return the number of rows.

    A row that somebody holds is left for the swap.
    """
    copied = 0
    for _ in range(WALKS_MAX):
        of_walk = 0
        async for count in _walk(engine, table, change):
            of_walk += count
            progress(copied + of_walk)
        copied += of_walk
        if of_walk <= FEW_ROWS:
            break
    return copied


async def copy_missing(engine: AsyncEngine, table: TokenPlace, change: KeyChange) -> None:
    """Copy the rows that have come since the walks, by the index over them.

    So the swap finds few rows left, however long the other tables took.
    """
    copied = FEW_ROWS
    while copied == FEW_ROWS:
        async with engine.begin() as connection:
            await connection.execute(MAY_SEAL_AGAIN)
            await connection.execute(BY_INDEX)
            copied = await _copy(connection, table, change, f"LIMIT {FEW_ROWS} {_SKIPPED}")


async def copy_last(connection: AsyncConnection, table: TokenPlace, change: KeyChange) -> int:
    """Copy the rows that are left, in the caller's transaction, in which nobody else writes."""
    await connection.execute(MAY_SEAL_AGAIN)
    await connection.execute(BY_INDEX)
    if table.is_purged:
        for column in table.columns:
            emptied = f"{column} = '' AND {next_column(column)} <> ''"
            await connection.execute(
                text(f"UPDATE {table.table} SET {next_column(column)} = '' WHERE {emptied}")  # noqa: S608 - our own names
            )
    return await _copy(connection, table, change, "")


async def build_indexes(engine: AsyncEngine, table: TokenPlace, wait_s: int) -> None:
    """Build the indexes of the next key's columns, and one over the rows that lack its tokens.

    A row may be written meanwhile. The build waits for the transactions that run, each for
    `wait_s` seconds at most.

    Raises:
        Conflict: a transaction stays open for longer.
    """
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"SET lock_timeout = '{max(1, wait_s)}s'"))
        try:
            there = {each.name: each for each in await _all_indexes(connection, table.table)}
            for name, definition in _wanted(table, there.values()).items():
                if name in there and there[name].is_valid:
                    continue
                # A build that was interrupted leaves an index that is not valid.
                await connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
                await connection.execute(text(definition))
            await connection.execute(text(f"VACUUM (ANALYZE) {table.table}"))
        except DBAPIError as error:
            if not is_locked(error):
                raise
            text_of_error = f"a transaction beside {table.table} stays open: run this again"
            raise Conflict(text_of_error) from error
        finally:
            # Never back to the pool: the setting is the session's.
            await connection.invalidate()


async def token_indexes(connection: AsyncConnection, table: TokenPlace) -> Sequence[TableIndex]:
    """Return the indexes of the columns in use."""
    return _of_tokens(table, await _all_indexes(connection, table.table))


def missing_index(table: TokenPlace) -> str:
    """Return the name of the index over the rows that lack the next key's tokens."""
    return f"ix_{table.table}_without_next"


async def blocks_of(engine: AsyncEngine, table: str) -> int:
    """Return the number of blocks of a table, for a walk over ranges of them."""
    async with engine.connect() as connection:
        blocks: int = (await connection.execute(_BLOCKS, {"table": table})).scalar_one()
    return blocks


async def _walk(engine: AsyncEngine, table: TokenPlace, change: KeyChange) -> AsyncIterator[int]:
    for start in range(0, await blocks_of(engine, table.table), BLOCKS):
        began_at = time.monotonic()
        places = f"AND ctid >= '({start},0)' AND ctid < '({start + BLOCKS},0)'"
        async with engine.begin() as connection:
            await connection.execute(MAY_SEAL_AGAIN)
            copied = await _copy(connection, table, change, f"{places} {_SKIPPED}")
        if copied:
            yield copied
            await asyncio.sleep(time.monotonic() - began_at)


_SKIPPED: Final = "FOR NO KEY UPDATE SKIP LOCKED"


async def _copy(
    connection: AsyncConnection, table: TokenPlace, change: KeyChange, which: str
) -> int:
    # The columns by text: the driver gives and takes them as they are stored.
    names = ", ".join(table.columns)
    lacking = f"{next_column(table.first)} IS NULL AND {table.first} IS NOT NULL"
    rows = (
        await connection.execute(
            text(
                f"SELECT CAST(ctid AS text) AS place, {names} FROM {table.table}"  # noqa: S608 - our own names
                f" WHERE {lacking} {which}"
            )
        )
    ).all()
    if not rows:
        return 0
    values = {
        column: [change.moved(getattr(row, column)) for row in rows] for column in table.columns
    }
    copies = ", ".join(f"{next_column(each)} = moved.{each}" for each in table.columns)
    arrays = ", ".join(f"CAST(:{each} AS bytea[])" for each in table.columns)
    await connection.execute(
        text(
            f"UPDATE {table.table} AS kept SET {copies}"  # noqa: S608 - our own names
            f" FROM unnest(CAST(CAST(:places AS text[]) AS tid[]), {arrays})"
            f" AS moved(place, {names}) WHERE kept.ctid = moved.place"
        ),
        {"places": [row.place for row in rows], **values},
    )
    return len(rows)


def _wanted(table: TokenPlace, there: Any) -> dict[str, str]:
    """Return the definitions of the indexes to build, by name."""
    lacking = f"{next_column(table.first)} IS NULL AND {table.first} IS NOT NULL"
    wanted = {
        missing_index(table): (
            f"CREATE INDEX CONCURRENTLY {missing_index(table)} ON {table.table} ((1))"
            f" WHERE {lacking}"
        )
    }
    for each in _of_tokens(table, there):
        head, _, places = each.definition.partition(" ON ")
        definition = f"{head.replace(each.name, each.next_name)} ON {places}"
        for column in table.columns:
            definition = re.sub(rf"\b{column}\b", next_column(column), definition)
        wanted[each.next_name] = definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    return wanted


def _of_tokens(table: TokenPlace, there: Any) -> list[TableIndex]:
    names = re.compile(rf"\b({'|'.join(table.columns)})\b")
    return [
        each
        for each in there
        if each.name != missing_index(table) and names.search(each.definition.partition(" ON ")[2])
    ]


async def _all_indexes(connection: AsyncConnection, table: str) -> list[TableIndex]:
    rows = (await connection.execute(_INDEXES, {"table": table})).mappings().all()
    return [TableIndex(**row) for row in rows]
