"""The URL of PostgreSQL as deployments write it, and as the driver takes it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from checker.errors import ConfigurationError

SESSION_SETTINGS: Mapping[str, str] = {
    "application_name": "checker",
    "timezone": "UTC",
    # A client that is gone without a message, as behind a firewall, loses its locks in a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

_PORT = 5432
_DRIVER = "postgresql+asyncpg"
_PARAMETERS = frozenset({"host", "port", "ssl", "sslmode"})
"""Parameters that a URL may have. The driver takes no others, or uses them for itself."""
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OPTIONS_OF_SQLALCHEMY = frozenset(
    {"async_fallback", "prepared_statement_cache_size", "prepared_statement_name_func"}
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
    named = _with_ssl(url).set(drivername=_DRIVER)
    if named.query.get("ssl", _SSL_MODES[0]) not in _SSL_MODES:
        raise ConfigurationError(f"DATABASE_URL has an sslmode that is none of {_SSL_MODES}")
    return named


def server_name(text: str) -> str:
    """Return the host and the port of a URL, or the folder of its socket, for messages.

    No message repeats the user, the password or the database.
    """
    url = database_url(text)
    host = url.host or url.query.get("host", "localhost")
    port = url.port or url.query.get("port", _PORT)
    return f"{host if isinstance(host, str) else ','.join(host)}:{port}"


def _with_ssl(url: URL) -> URL:
    """Return the URL with `sslmode` renamed as the driver names it."""
    if "sslmode" not in url.query:
        return url
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def connect_options(url: str) -> dict[str, Any]:
    """Return the arguments of `asyncpg.connect`, for a connection that belongs to no pool."""
    named = database_url(url)
    _, options = named.get_dialect()().create_connect_args(named)
    return {
        name: value for name, value in options.items() if name not in _OPTIONS_OF_SQLALCHEMY
    } | {"server_settings": dict(SESSION_SETTINGS)}
