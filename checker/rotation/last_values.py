"""Proves that no value is left under an older key, and refuses values that would still come.

A process may have sealed a value before it learned of the newest key, and write the value later.
So each sealed column gets a constraint that refuses values under older keys. PostgreSQL then looks
at every row that is there (`VALIDATE CONSTRAINT`). The constraint stays until the next rotation
replaces it.
"""

from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.errors import Conflict
from checker.rotation.altering import alter, sqlstate_of
from checker.rotation.places import SealedColumn

_CHECK_VIOLATION: Final = "23514"


async def refuse_older(engine: AsyncEngine, column: SealedColumn, number: int) -> None:
    """Let a column refuse values under keys before `number`, and prove that it has none.

    Raises:
        Conflict: a value is left.
        Unavailable: somebody holds the table all the time.
    """
    name = f"ck_{column.table}_{column.column}_sealed"
    value = column.column
    newer = f"get_byte({value}, 0) IN (2, 3) AND get_byte({value}, 1) >= {number}"
    # A value of a purged row is empty, and has no byte to read.
    holds = f"CASE WHEN {value} = '' THEN true ELSE {newer} END"
    await alter(
        engine,
        column.table,
        f"DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({holds}) NOT VALID",
    )
    try:
        await alter(engine, column.table, f"VALIDATE CONSTRAINT {name}")
    except DBAPIError as error:
        if sqlstate_of(error) != _CHECK_VIOLATION:
            raise
        raise Conflict(f"{column.name} has a value under an older key: run this again") from error
