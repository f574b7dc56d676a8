"""Connections to PostgreSQL: how they are made, how long they wait, what their errors mean.

Two kinds of work share a database and need different patience: a check waits two seconds at most, a
load of a million rows as long as it takes. While PostgreSQL is silent neither waits: a `Pulse`
notices the silence and ends all connections (`checker.database.pulse`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy import URL, Executable, RowMapping, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from checker.database.sqlstates import TEXTS, outage_of_code
from checker.errors import ConfigurationError, Outage, Unavailable

CONNECT_TIMEOUT_S = 2.0
CHECK_TIMEOUT_S = 2.0
POOL_SIZE = 8

SESSION_SETTINGS: Mapping[str, str] = {
    "application_name": "checker",
    "timezone": "UTC",
    # A client that has gone without a word, as behind a firewall, gives its locks back in a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

_T = TypeVar("_T")

_NO_SETTINGS: Mapping[str, str] = {}
_DRIVER = "postgresql+asyncpg"
_PARAMETERS = frozenset({"host", "port", "ssl", "sslmode"})
"""Parameters that a URL may have: the driver takes no others, or takes them for its own."""
_OPTIONS_OF_SQLALCHEMY = frozenset(
    {"async_fallback", "prepared_statement_cache_size", "prepared_statement_name_func"}
)
_DRIVER_ERRORS = (
    DBAPIError,
    # COPY speaks to the driver directly, so its errors come unwrapped.
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    PoolTimeoutError,
    TimeoutError,
    OSError,
)


class Connector(Protocol):
    """Makes a pool's connections and hears of its errors (`checker.database.pulse.Pulse`)."""

    async def connect(self, *arguments: Any, **options: Any) -> asyncpg.Connection:
        """Connect as `asyncpg.connect` does. Raises Unavailable: PostgreSQL is away."""
        ...

    def heard(self, outage: Outage | None) -> None:
        """Take notice of an error's meaning."""
        ...


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


def connect_options(url: str) -> dict[str, Any]:
    """Return what `asyncpg.connect` needs to know, for a connection that belongs to no pool."""
    named = database_url(url)
    _, options = named.get_dialect()().create_connect_args(named)
    return {
        name: value for name, value in options.items() if name not in _OPTIONS_OF_SQLALCHEMY
    } | {"server_settings": dict(SESSION_SETTINGS)}


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    timeout_s: float | None = CHECK_TIMEOUT_S,
    pool_size: int = POOL_SIZE,
    settings: Mapping[str, str] = _NO_SETTINGS,
    pulse: Connector | None = None,
) -> AsyncIterator[AsyncEngine]:
    """Open a pool of connections, and close it. `timeout_s` bounds a statement; None: no bound.

    `settings` are PostgreSQL's, for each of its sessions. `pulse` makes the connections, and hears
    of errors.
    """
    connect_args: dict[str, object] = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": timeout_s,
        "server_settings": {**SESSION_SETTINGS, **settings},
    }
    if pulse is not None:
        connect_args["async_creator_fn"] = pulse.connect
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
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    if pulse is not None:
        hear = pulse.heard

        def pass_on(context: ExceptionContext) -> None:
            hear(outage_of(context.sqlalchemy_exception or context.original_exception))

        event.listen(engine.sync_engine, "handle_error", pass_on)
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

    A connection that dies under the work, because PostgreSQL was restarted, costs no check its
    answer: the work is done once more. So the work must stand being done twice.
    """
    try:
        async with engine.connect() as connection:
            return await work(connection)
    except DBAPIError as error:
        # A silent server is not asked again: the caller has waited for one time-out already.
        if not error.connection_invalidated or isinstance(_own(error), TimeoutError):
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


def outage_of(error: BaseException) -> Outage | None:
    """Return the outage that an error stands for; None: the error is our bug, or not a driver's."""
    own = _own(error)
    if isinstance(own, Unavailable):
        return own.outage
    if isinstance(own, asyncpg.InvalidCachedStatementError):
        return Outage.AWAY  # the schema was upgraded; the next attempt plans anew
    if isinstance(own, asyncpg.PostgresError) and own.sqlstate is not None:
        outage = outage_of_code(own.sqlstate)
        if outage is not None:
            return outage
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Outage.AWAY
    # The driver refuses a wrong parameter by an InterfaceError that is a ValueError too.
    if isinstance(own, asyncpg.InterfaceError) and not isinstance(own, ValueError):
        return Outage.AWAY
    if isinstance(own, (PoolTimeoutError, TimeoutError, OSError)):
        return Outage.AWAY
    return None


def _own(error: BaseException) -> BaseException:
    """Return the driver's own error, which SQLAlchemy wraps twice."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig


def _refuse_closed(connection: DBAPIConnection, *_details: object) -> None:
    """Let the pool replace a connection that ended while nobody used it, and all older ones."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
