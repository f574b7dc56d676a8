"""Seals all values under older keys again, in small batches, while the service writes.

A table is walked by ranges of its blocks, so that no index is needed and an interrupted walk is
only done again. Rows that somebody else holds are skipped and taken by the next walk: a batch
waits for nobody, so it ends no other transaction by a deadlock. Between two batches the walk rests
as long as the batch took.

A value that does not open is counted and stays. No key becomes needless while there is one.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.token_column import TokenColumn
from checker.errors import ConfigurationError
from checker.rotation.altering import MAY_SEAL_AGAIN
from checker.rotation.places import SealedColumn, TokenName
from checker.vault import Vault, heads_of

BLOCKS: Final = 8
"""Of 8 kB each: some 300 listings. Others wait for one of these rows for some 20 ms."""

WALKS_MAX: Final = 3
"""Rows that are held in three walks are held by a long transaction."""

_BLOCKS = text(
    "SELECT pg_relation_size(CAST(:part AS regclass))"
    " / CAST(current_setting('block_size') AS bigint)"
)
_PARTS = text(
    "SELECT CAST(CAST(relid AS regclass) AS text) FROM pg_partition_tree(CAST(:table AS regclass))"
    " WHERE isleaf ORDER BY 1"
)


class ColumnWalk(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one column: values sealed again, values left, and values that do not open."""

    column: str
    sealed_again: int
    left: int
    damaged: int


async def seal_column_again(
    engine: AsyncEngine,
    vault: Vault,
    column: SealedColumn,
    progress: Callable[[int], None],
) -> ColumnWalk:
    """Seal the values of a column with the key that the vault seals with; return the outcome.

    `progress` gets the number of values that are sealed again so far. `engine` has no bound on
    statements.
    """
    sealed_again = damaged = 0
    left = await count_left(engine, vault, column)
    for _ in range(WALKS_MAX):
        if not left:
            break
        damaged = 0
        for part in await _parts(engine, column.table):
            async for written, unreadable in _walk(engine, vault, column, part):
                sealed_again += written
                damaged += unreadable
                progress(sealed_again)
        left = await count_left(engine, vault, column)
        if left == damaged:
            break
    return ColumnWalk(column=column.name, sealed_again=sealed_again, left=left, damaged=damaged)


async def count_left(engine: AsyncEngine, vault: Vault, column: SealedColumn) -> int:
    """Return the number of values of a column that stand under another key than the newest."""
    statement = _with_heads(
        f"SELECT count(*) FROM {column.table} AS sealed WHERE {_is_older(column)}"  # noqa: S608 - our own names
    )
    async with engine.connect() as connection:
        heads = {"heads": heads_of(vault.sealing)}
        left: int = (await connection.execute(statement, heads)).scalar_one()
    return left


async def _parts(engine: AsyncEngine, table: str) -> Sequence[str]:
    """Return the tables that hold the rows: the partitions of a table, or the table itself."""
    async with engine.connect() as connection:
        return (await connection.execute(_PARTS, {"table": table})).scalars().all() or [table]


async def _blocks(engine: AsyncEngine, part: str) -> int:
    async with engine.connect() as connection:
        blocks: int = (await connection.execute(_BLOCKS, {"part": part})).scalar_one()
    return blocks


async def _walk(engine: AsyncEngine, vault: Vault, column: SealedColumn, part: str) -> Any:
    """Yield for each batch of a part the numbers of values sealed again, and that do not open."""
    start = 0
    # The table grows meanwhile, by the rows that are written again too.
    while start < await _blocks(engine, part):
        began = time.monotonic()
        async with engine.begin() as connection:
            done = await _batch(connection, vault, column, part, start)
        yield done
        start += BLOCKS
        if any(done):
            await asyncio.sleep(time.monotonic() - began)


async def _batch(
    connection: AsyncConnection, vault: Vault, column: SealedColumn, part: str, start: int
) -> tuple[int, int]:
    rows = await connection.execute(
        _older_rows(column, part, start), {"heads": heads_of(vault.sealing)}
    )
    places, values, damaged = [], [], 0
    for at, value, *named in rows:
        # A name that is a token comes as its bytes.
        row = [each.hex() if isinstance(each, bytes) else each for each in named]
        try:
            again = vault.seal_again(value, column.place, *row, keeps_first=column.is_chained)
        except ConfigurationError:
            damaged += 1
            continue
        places.append(at)
        values.append(again)
    if places:
        await connection.execute(MAY_SEAL_AGAIN)
        await connection.execute(_write(column, part), {"places": places, "values": values})
    return len(places), damaged


def _older_rows(column: SealedColumn, part: str, start: int) -> Any:
    """Return a statement that locks the rows of some blocks, and returns place, value and name."""
    parts = {f"part_{number}": each for number, each in enumerate(column.row)}
    named = "".join(
        f", {each.sql if isinstance(each, TokenName) else each} AS {name}"
        for name, each in parts.items()
    )
    tokens = [name for name, each in parts.items() if isinstance(each, TokenName)]
    statement = _with_heads(
        f"SELECT CAST(sealed.ctid AS text), sealed.{column.column}{named}"  # noqa: S608 - our own names
        f" FROM {part} AS sealed {column.joined}"
        f" WHERE sealed.ctid >= '({start},0)' AND sealed.ctid < '({start + BLOCKS},0)'"
        f" AND {_is_older(column)} FOR NO KEY UPDATE OF sealed SKIP LOCKED"
    )
    return statement.columns(**dict.fromkeys(tokens, TokenColumn)) if tokens else statement


def _write(column: SealedColumn, part: str) -> Any:
    """Return the statement that writes the values of a batch; its rows are locked."""
    return text(
        f"UPDATE {part} AS sealed SET {column.column} = again.value"  # noqa: S608 - our own names
        " FROM unnest(CAST(CAST(:places AS text[]) AS tid[]), CAST(:values AS bytea[]))"
        " AS again(place, value) WHERE sealed.ctid = again.place"
    )


def _is_older(column: SealedColumn) -> str:
    # A value of a purged row is empty (`checker.registry.purge`), so no key is needed for it.
    value = f"sealed.{column.column}"
    return f"{value} <> '' AND NOT substr({value}, 1, 2) = ANY(:heads)"


def _with_heads(statement: str) -> Any:
    return text(statement).bindparams(bindparam("heads", type_=ARRAY(BYTEA)))
