"""Reading of tokens on the leading connection, which is in autocommit.

A statement outside a transaction is not behind the fence of the token key
(`checker.database.token_fence`). Its tokens could be stored under a key that has just replaced the
one with which this process reads them. The cache would then get tokens of nobody.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection


@asynccontextmanager
async def fenced(connection: AsyncConnection) -> AsyncIterator[None]:
    """Put what is read in the block into one transaction, and so behind the fence.

    Raises:
        TokenKeyReplaced: the key was replaced since the transaction before. The connection ends,
            and with it the lead; the next leader uses the new key.
    """
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    await driver.execute("BEGIN;")
    try:
        yield
    finally:
        if not driver.is_closed():
            await driver.execute("ROLLBACK;")
