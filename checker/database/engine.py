"""Connections to PostgreSQL: how they are made, how long they wait, how driver errors are told.

Two kinds of work share a database and need different patience: a check waits two seconds at most, a
load of a million rows as long as it takes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, Executable, RowMapping, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from checker.errors import ConfigurationError, Unavailable

CONNECT_TIMEOUT_S = 2.0
CHECK_TIMEOUT_S = 2.0
POOL_SIZE = 8

_T = TypeVar("_T")

_NO_SETTINGS: Mapping[str, str] = {}
_DRIVER = "postgresql+asyncpg"
_PARAMETERS = frozenset({"host", "port", "ssl", "sslmode"})
"""What may stand behind `?` in a URL: the driver takes no others, or takes them for its own."""
_LOST = (OperationalError, InterfaceError, PoolTimeoutError, TimeoutError, OSError)
_LOST_IN_DRIVER = (
    asyncpg.exceptions.ConnectionDoesNotExistError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
)


def database_url(text: str) -> URL:
    """Read a URL as deployments write it (`postgres://`, `postgresql://`), for our driver.

    Raises:
        ConfigurationError: another database, or no URL at all.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # `from None`: the cause may quote a password.
        raise ConfigurationError("DATABASE_URL is not a URL") from None
    if url.get_backend_name() not in {"postgres", "postgresql"}:
        raise ConfigurationError("DATABASE_URL must name a PostgreSQL database")
    if set(url.query) - _PARAMETERS:
        known = ", ".join(sorted(_PARAMETERS))
        raise ConfigurationError(f"DATABASE_URL has an unknown parameter; known are {known}")
    return _with_ssl(url).set(drivername=_DRIVER)


def _with_ssl(url: URL) -> URL:
    """Say `sslmode` as the driver does."""
    if "sslmode" not in url.query:
        return url
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    timeout_s: float | None = CHECK_TIMEOUT_S,
    pool_size: int = POOL_SIZE,
    settings: Mapping[str, str] = _NO_SETTINGS,
) -> AsyncIterator[AsyncEngine]:
    """Open a pool of connections, and close it. `timeout_s` bounds a statement; None: no bound.

    `settings` are PostgreSQL's, for each of its sessions.
    """
    connect_args: dict[str, object] = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": timeout_s,
        "server_settings": {"application_name": "checker", "timezone": "UTC", **settings},
    }
    engine = create_async_engine(
        database_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CHECK_TIMEOUT_S,
        # Long work makes sure of its connection first; a check saves the trip (see `fetch`).
        pool_pre_ping=timeout_s is None,
        connect_args=connect_args,
        hide_parameters=True,  # a driver's error would repeat what was asked
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def fetch(
    engine: AsyncEngine, statement: Executable, parameters: Mapping[str, Any] | None = None
) -> Sequence[RowMapping]:
    """Read all rows of one statement that changes nothing."""

    async def read(connection: AsyncConnection) -> Sequence[RowMapping]:
        return (await connection.execute(statement, parameters)).mappings().all()

    return await attempt(engine, read)


async def attempt(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
    """Do `work` on a pooled connection; what it does not commit itself is rolled back.

    After PostgreSQL was restarted every pooled connection is dead and only using one tells; so work
    that met a dead one is done once more, and a restart costs no check its answer. It must stand
    being done twice.
    """
    try:
        async with engine.connect() as connection:
            return await work(connection)
    except DBAPIError as error:
        # A silent server is not asked again: whoever waits has waited for one time-out already.
        if not error.connection_invalidated or isinstance(_cause(error), TimeoutError):
            raise
    async with engine.connect() as connection:
        return await work(connection)


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn a lost or silent database into `Unavailable`; anything else is a bug and passes."""
    try:
        yield
    # COPY speaks to the driver directly, so its errors come unwrapped.
    except (*_LOST, *_LOST_IN_DRIVER) as error:
        raise Unavailable("the registry cannot be reached") from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(_cause(error), _LOST_IN_DRIVER):
            raise Unavailable("the registry cannot be reached") from error
        raise


def _cause(error: DBAPIError) -> BaseException | None:
    """Give the driver's own error, which SQLAlchemy wraps twice."""
    return error.orig.__cause__ if error.orig is not None else None
