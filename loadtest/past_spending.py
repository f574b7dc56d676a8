"""Puts millions of past steps of spending into an embedded service, for the benchmark alone.

PostgreSQL itself writes the steps (`past_spending.sql`), as `loadtest.large_list` does, with the
decisions and the sums of days that the service would have kept. `checker audit verify` proves them.
The debtors of the service's own list have spent, so the buyers of the benchmark have a past.

Two things differ from real orders: no order has a reference, and no idempotency key is left. The
service keeps keys for two days, and all steps are of months that are over.
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
    """Write about so many steps; return the number of steps, and the seconds.

    A list with debtors who are capped is needed, and an institution.
    """
    began_at = perf_counter()
    written = asyncio.run(_write(socket_folder, steps, limit_fen))
    return written, perf_counter() - began_at


async def write_past(connection: Any, steps: int, limit_fen: int) -> int:
    """Write steps over a connection without triggers and foreign keys."""
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
