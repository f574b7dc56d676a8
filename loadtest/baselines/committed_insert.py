"""The baseline of writing: a Litestar handler with one committed INSERT for each request.

It runs under granian on uvloop, with SQLAlchemy Core on asyncpg. Its row is about as long as a step
of an authorization. It has no keys, no idempotency, no list, no cap and no balance.
`BASELINE_DATABASE_URL` names its database.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

import msgspec
from litestar import Litestar, Request, post
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    insert,
)
from sqlalchemy.ext.asyncio import create_async_engine

from loadtest.baselines.question import BaselineSubject

DATABASE_URL_VARIABLE = "BASELINE_DATABASE_URL"
POOL_SIZE = 8
"""A worker's connections, as many as a worker of the service has for its checks."""

_HOLDS_FOR = timedelta(days=7)

_kept_order = Table(
    "kept_order",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("service", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("held_fen", BigInteger, nullable=False),
    Column("captured_fen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
)


class BaselineService(msgspec.Struct, frozen=True, kw_only=True):
    """The service that is bought."""

    type: str
    venue: str
    amount_fen: int


class BaselineOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an authorization by the contract (section 4)."""

    subject: BaselineSubject
    service: BaselineService
    reference: str


class KeptOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, sent once the row is committed."""

    id: UUID
    status: str
    amount_fen: int
    reference: str
    expires_at: datetime


@post("/orders", status_code=201)
async def keep_order(request: Request[Any, Any, Any], data: BaselineOrder) -> KeptOrder:
    """Insert and commit one row."""
    now = datetime.now(UTC)
    kept = KeptOrder(
        id=uuid4(),
        status="held",
        amount_fen=data.service.amount_fen,
        reference=data.reference,
        expires_at=now + _HOLDS_FOR,
    )
    row = {
        "id": kept.id,
        "at": now,
        "expires_at": kept.expires_at,
        "document": blake2b(data.subject.document.number.encode(), digest_size=16).digest(),
        "service": data.service.type,
        "venue": data.service.venue,
        "jurisdiction": "CN",
        "amount_fen": kept.amount_fen,
        "held_fen": kept.amount_fen,
        "captured_fen": 0,
        "reference": kept.reference,
    }
    async with request.app.state.engine.begin() as connection:
        await connection.execute(insert(_kept_order), row)
    return kept


@asynccontextmanager
async def _database(application: Litestar) -> AsyncIterator[None]:
    engine = create_async_engine(os.environ[DATABASE_URL_VARIABLE], pool_size=POOL_SIZE)
    application.state.engine = engine
    try:
        yield
    finally:
        await engine.dispose()


def app() -> Litestar:
    """Return the application of one worker."""
    return Litestar(
        route_handlers=[keep_order], lifespan=[_database], openapi_config=None, logging_config=None
    )


async def make_table(url: str) -> None:
    """Create the table in an empty database."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_kept_order.metadata.create_all)
    await engine.dispose()
