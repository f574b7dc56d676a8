"""The baseline without a cache: FastAPI, a pool of psycopg connections, one SELECT.

It runs under uvicorn with uvloop and httptools. `BASELINE_DATABASE_URL` names its database, as
psycopg reads it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from loadtest.baselines.fastapi_redis import PydanticCheck
from loadtest.baselines.question import baseline_key

DATABASE_URL_VARIABLE = "BASELINE_DATABASE_URL"
POOL_SIZE = 8
"""A worker's connections, as many as a worker of the service has for its checks."""

SELECT = "SELECT 1 FROM listed WHERE document = %s"
TABLE = "CREATE TABLE listed (document text PRIMARY KEY)"

pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
    os.environ.get(DATABASE_URL_VARIABLE, ""),
    min_size=POOL_SIZE,
    max_size=POOL_SIZE,
    kwargs={"autocommit": True},
    open=False,
)


@asynccontextmanager
async def _opened(_: FastAPI) -> AsyncIterator[None]:
    async with pool:
        yield


app = FastAPI(lifespan=_opened)


@app.post("/v1/checks")
async def check(body: PydanticCheck) -> dict[str, str]:
    """Deny each document that has a row."""
    document = body.subject.document
    async with pool.connection() as connection:
        found = await connection.execute(SELECT, [baseline_key(document.type, document.number)])
        is_listed = await found.fetchone()
    return {"decision": "deny" if is_listed else "allow"}
