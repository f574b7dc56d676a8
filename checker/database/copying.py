"""Copies rows into a table by `COPY`, and raises when the connection ends meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection


async def copy_rows(
    connection: AsyncConnection, table: str, rows: Sequence[Any], columns: Sequence[str]
) -> None:
    """`COPY` rows (tuples in the order of `columns`) within the connection's transaction.

    Raises:
        ConnectionDoesNotExistError: the connection ended meanwhile. The driver alone would go on
            waiting for PostgreSQL to take more rows.
    """
    if not rows:
        return
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    ended = asyncio.get_running_loop().create_future()

    def end(_connection: object) -> None:
        if not ended.done():
            ended.set_result(None)

    driver.add_termination_listener(end)
    copying = asyncio.ensure_future(
        driver.copy_records_to_table(table, records=rows, columns=list(columns))
    )
    try:
        await asyncio.wait([copying, ended], return_when=asyncio.FIRST_COMPLETED)
        if not copying.done():
            raise asyncpg.ConnectionDoesNotExistError("the connection ended while rows were copied")
        copying.result()
    finally:
        driver.remove_termination_listener(end)
        if not copying.done():
            copying.cancel()
            # Nothing else may use the connection before the copy has let go of it.
            await asyncio.wait([copying])
            if not copying.cancelled():
                copying.exception()
