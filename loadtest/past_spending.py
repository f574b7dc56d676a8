"""Puts millions of past steps of spending into an embedded service, for the benchmark alone.

PostgreSQL itself writes them (`past_spending.sql`), as `loadtest.large_list` does, with what the
service would have kept beside each: decisions and sums of days; `checker audit verify` proves them.
Those who spent are the debtors of the service's own list, so who is sold to afterwards has a past.

Two differences from real orders: no order has a reference, and no idempotency key is left of them.
Keys are kept for two days, and all of this is of months that are over.
"""

import asyncio
from pathlib import Path
from time import perf_counter
from typing import Any

from loadtest.large_list import filling

_ROWS = Path(__file__).with_name("past_spending.sql").read_text(encoding="utf-8")
_PLACE = """
SELECT set_config('bench.steps', $1, true), set_config('bench.limit_fen', $2, true)"""
_TABLES = "decision, authorization_step, spending_total"


def put_in_the_past(socket_folder: Path, steps: int, limit_fen: int) -> tuple[int, float]:
    """Write about so many steps; give how many there are now, and how many seconds it took.

    There has to be a list with debtors who are capped, and an institution.
    """
    began_at = perf_counter()
    written = asyncio.run(_write(socket_folder, steps, limit_fen))
    return written, perf_counter() - began_at


async def write_past(connection: Any, steps: int, limit_fen: int) -> int:
    """Write them over a connection for which triggers and foreign keys do not count."""
    async with connection.transaction():
        await connection.execute(_PLACE, str(steps), str(limit_fen))
        await connection.execute(_ROWS)
    return int(await connection.fetchval("SELECT count(*) FROM authorization_step"))


async def _write(socket_folder: Path, steps: int, limit_fen: int) -> int:
    async with filling(socket_folder) as connection:
        written = await write_past(connection, steps, limit_fen)
        # Else autovacuum and the checkpointer would do it while something else is measured.
        await connection.execute(f"VACUUM (ANALYZE) {_TABLES}")
        await connection.execute("CHECKPOINT")
    return written
