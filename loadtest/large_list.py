"""Puts millions of persons on the list of an embedded service, for the benchmark alone.

An import of ten million takes twenty minutes. So PostgreSQL itself writes the rows
(`large_list.sql`) into tables of the service. This file, `loadtest.past_spending` and
`loadtest.check_parts` know more than the contract. A change of the schema may break them.

The list is as the service would write it. Every person has a listing, some two or three as in
`loadtest.circles`, a document with a random token, and the outline that the service would compute.
One change of kind `snapshot` gets a number, and the publisher then builds the cache anew. Sealed
values (names, numbers) are random bytes: nobody can ask about these persons, and nothing opens the
values. The service itself imports the persons of the questions before.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg

_ROWS = Path(__file__).with_name("large_list.sql").read_text(encoding="utf-8")

# Filled first and made afterwards, an index takes a fraction of the time.
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('listing', 'document')
AND indexname NOT IN (SELECT conname FROM pg_constraint)"""

_SESSION = """
SET session_replication_role = replica;  -- rows made to fit need no look at what they refer to
SET work_mem = '512MB';
SET maintenance_work_mem = '512MB'"""

_PLACE = """
SELECT set_config('bench.persons', $1, true),
  set_config('bench.version', (SELECT coalesce(max(version), 0) + 1 FROM change)::text, true),
  set_config('bench.above', (SELECT coalesce(max(pk), 0) FROM listing)::text, true)"""

# Last: it is upon this that the publisher begins.
_NUMBER = """
INSERT INTO change (version, change_id, history, kind, at, accepted, rejected)
SELECT $1, gen_random_uuid(), (SELECT history FROM server_run LIMIT 1), 'snapshot', now(), count(*),
  0 FROM listing WHERE from_version = $1"""


def put_on_the_list(socket_folder: Path, persons: int) -> tuple[int, float]:
    """Write the persons; return the new version of the list, and the seconds."""
    began_at = perf_counter()
    version = asyncio.run(_write(socket_folder, persons))
    return version, perf_counter() - began_at


@asynccontextmanager
async def filling(socket_folder: Path) -> AsyncIterator[Any]:
    """Yield a connection to an embedded PostgreSQL, without triggers and foreign keys."""
    connection = await asyncpg.connect(
        host=str(socket_folder), user="postgres", database="postgres"
    )
    try:
        await connection.execute(_SESSION)
        yield connection
    finally:
        await connection.close()


async def _write(socket_folder: Path, persons: int) -> int:
    async with filling(socket_folder) as connection:
        async with connection.transaction():
            version = await _write_rows(connection, persons)
        # Else autovacuum would do it while something else is measured.
        await connection.execute("VACUUM (ANALYZE) listing, document, outline")
        async with connection.transaction():
            await connection.execute(_NUMBER, version)
            await connection.execute("SELECT pg_notify('checker_change', $1)", str(version))
    return version


async def _write_rows(connection: Any, persons: int) -> int:
    place = await connection.fetchrow(_PLACE, str(persons))
    indexes = await connection.fetch(_INDEXES)
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    await connection.execute(_ROWS)
    for index in indexes:
        await connection.execute(index["indexdef"])
    return int(place[1])
