"""The URL of PostgreSQL as deployments write it, and as the driver takes it."""

import re
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
_PORT_MAX = 65_535
_HOST = re.compile(r"/[^\0]*|[\w.-]+|[0-9A-Fa-f:.]+(%[\w.-]+)?")
"""A folder of sockets, a name, or an IPv6 address."""
_DRIVER = "postgresql+asyncpg"
PARAMETERS = frozenset({"host", "port", "ssl", "sslmode"})
"""Parameters that a URL may have. The driver takes no others, or uses them for itself."""
_SERVERS = frozenset({"host", "port"})
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OPTIONS_OF_SQLALCHEMY = frozenset(
    {"async_fallback", "prepared_statement_cache_size", "prepared_statement_name_func"}
)


def database_url(text: str, variable: str = "DATABASE_URL") -> URL:
    """Read the URL of a variable as deployments write it (`postgres://`, `postgresql://`).

    Raises:
        ConfigurationError: another database, no URL at all, or a value that cannot be used.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # `from None`: the cause may quote a password.
        raise ConfigurationError(f"{variable} is not a URL") from None
    if url.get_backend_name() not in {"postgres", "postgresql"}:
        raise ConfigurationError(f"{variable} must name a PostgreSQL database")
    if set(url.query) - PARAMETERS:
        known = ", ".join(sorted(PARAMETERS))
        raise ConfigurationError(f"{variable} has an unknown parameter; known are {known}")
    named = _with_ssl(url, variable).set(drivername=_DRIVER)
    _refuse_bad_values(named, variable)
    return named


def server_name(text: str) -> str:
    """Return the host and the port of a URL, or the folder of its socket, for messages.

    No message repeats the user, the password or the database.
    """
    url = database_url(text)
    host = url.host or url.query.get("host", "localhost")
    port = url.port or url.query.get("port", _PORT)
    return f"{host if isinstance(host, str) else ','.join(host)}:{port}"


def _refuse_bad_values(named: URL, variable: str) -> None:
    """Refuse values that the driver refuses, or that look like a server that is away."""
    if named.query.get("ssl", _SSL_MODES[0]) not in _SSL_MODES:
        modes = ", ".join(_SSL_MODES)
        raise ConfigurationError(f"{variable} has an ssl or sslmode that is none of {modes}")
    if not _SERVERS & set(named.query) and named.port is None:
        return
    try:
        _, options = named.get_dialect()().create_connect_args(named)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"{variable} has a host or port that cannot be read: several servers are written "
            "host=a:1&host=b:2"
        ) from None
    if not all(_HOST.fullmatch(host) for host in _several(options.get("host", "localhost"))):
        raise ConfigurationError(f"{variable} has a host that is no name, address or folder")
    ports = _several(options.get("port", _PORT))
    if named.port == 0 or not all(0 < port <= _PORT_MAX for port in ports):
        raise ConfigurationError(f"{variable} has a port that is no number from 1 to 65535")


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _with_ssl(url: URL, variable: str) -> URL:
    """Return the URL with `sslmode` renamed as the driver names it."""
    if "sslmode" not in url.query:
        return url
    if "ssl" in url.query:
        raise ConfigurationError(f"{variable} has both ssl and sslmode, which are the same")
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def connect_options(url: str) -> dict[str, Any]:
    """Return the arguments of `asyncpg.connect`, for a connection that belongs to no pool."""
    named = database_url(url)
    _, options = named.get_dialect()().create_connect_args(named)
    return {
        name: value for name, value in options.items() if name not in _OPTIONS_OF_SQLALCHEMY
    } | {"server_settings": dict(SESSION_SETTINGS)}
