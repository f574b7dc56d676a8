"""Pools of connections to PostgreSQL: how they are made, and how long they wait.

Two kinds of work share a database and need different patience: a check waits two seconds at most, a
load of a million rows has no bound. While PostgreSQL is silent neither waits: a `Pulse` notices the
silence and ends all connections (`checker.database.pulse`).
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Executable, RowMapping, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cache.token_key import TokenKeys
from checker.config import POOLER_VARIABLE
from checker.database.beginning import Words, connection_with
from checker.database.outages import outage_of, own_error
from checker.database.pooler import mark_pooled, pooler_options, pooler_words
from checker.database.primary import connect_primary
from checker.database.pulse import Pulse
from checker.database.sqlstates import TEXTS
from checker.database.token_column import give_keys
from checker.database.token_fence import TokenFence
from checker.database.urls import SESSION_SETTINGS, database_url
from checker.errors import Unavailable

CONNECT_TIMEOUT_S = 2.0
CHECK_TIMEOUT_S = 2.0
POOL_SIZE = 8

_T = TypeVar("_T")

_NO_SETTINGS: Mapping[str, str] = {}
_DRIVER_ERRORS = (
    DBAPIError,
    # COPY speaks to the driver directly, so its errors come unwrapped.
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.TargetServerAttributeNotMatched,
    PoolTimeoutError,
    TimeoutError,
    OSError,
)


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    timeout_s: float | None = CHECK_TIMEOUT_S,
    pool_size: int = POOL_SIZE,
    settings: Mapping[str, str] = _NO_SETTINGS,
    pulse: Pulse | None = None,
    pooler_url: str | None = None,
    token_keys: TokenKeys | None = None,
) -> AsyncIterator[AsyncEngine]:
    """Open a pool of connections, and close it. `timeout_s` bounds a statement; None: no bound.

    `settings` are PostgreSQL's, for each session. `pulse` makes the connections, and is notified of
    errors. With `pooler_url` the pool connects there, and has no session of its own
    (`checker.database.pooler`); `settings` hold for each transaction. Statements with tokens need
    `token_keys` (`checker.database.token_column`): then each transaction is behind the fence.
    """
    words: list[Words] = []
    connect_args: dict[str, object] = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": timeout_s,
        "server_settings": {**SESSION_SETTINGS, **settings},
        "async_creator_fn": connect_primary if pulse is None else pulse.connect,
    }
    if pooler_url is not None:
        connect_args |= pooler_options()
        words.append(functools.partial(pooler_words, settings))
    refused = []
    if token_keys is not None:
        fence = TokenFence(token_keys)
        words.append(fence.words)
        refused.append(fence.refused)
    if words:
        connect_args |= connection_with(words, refused)
    engine = create_async_engine(
        database_url(url) if pooler_url is None else database_url(pooler_url, POOLER_VARIABLE),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CHECK_TIMEOUT_S,
        # Long work tests its connection first; a check saves this trip (see `fetch`).
        pool_pre_ping=timeout_s is None,
        connect_args=connect_args,
        hide_parameters=True,  # a driver's error would repeat the parameters
    )
    if pooler_url is not None:
        mark_pooled(engine)
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    if token_keys is not None:
        give_keys(engine, token_keys)
    if pulse is not None:
        _notify(pulse, engine)
    try:
        yield engine
    finally:
        await engine.dispose()


def _notify(pulse: Pulse, engine: AsyncEngine) -> None:
    """Notify the pulse of each error of the engine."""

    def pass_on(context: ExceptionContext) -> None:
        pulse.heard(outage_of(context.sqlalchemy_exception or context.original_exception))

    event.listen(engine.sync_engine, "handle_error", pass_on)


async def fetch(
    engine: AsyncEngine, statement: Executable, parameters: Mapping[str, Any] | None = None
) -> Sequence[RowMapping]:
    """Return all rows of one statement that changes nothing."""

    async def read(connection: AsyncConnection) -> Sequence[RowMapping]:
        return (await connection.execute(statement, parameters)).mappings().all()

    return await attempt(engine, read)


async def attempt(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
    """Do `work` on a pooled connection and return its result; uncommitted changes are rolled back.

    A connection may die under the work, because PostgreSQL was restarted, and the token key may be
    replaced before the work begins. Then the work is done once more, so the work must bear being
    done twice.
    """
    try:
        async with engine.connect() as connection:
            return await work(connection)
    except DBAPIError as error:
        # A silent server is not asked again: the caller has waited for one time-out already.
        if not error.connection_invalidated or isinstance(own_error(error), TimeoutError):
            raise
    async with engine.connect() as connection:
        return await work(connection)


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn an error of the driver into `Unavailable`, as the table of codes says.

    An error that is our bug passes as it is.
    """
    try:
        yield
    except _DRIVER_ERRORS as error:
        outage = outage_of(error)
        if outage is None:
            raise
        raise Unavailable(TEXTS[outage], outage=outage) from error


def _refuse_closed(connection: DBAPIConnection, *_details: object) -> None:
    """Let the pool replace a connection that ended while nobody used it, and all older ones."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
