"""Reads the URL of a Redis as deployments write it, and names in one line what is wrong.

    redis://  valkey://        host, port, database number; user and password if there are any
    rediss:// valkeys://       the same over TLS
    unix://                    the path of a socket

No message repeats any part of a URL: each part may be, or hold, a password.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from cache.errors import CacheMisconfigured

_SCHEMES: Mapping[str, str] = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "unix",
}
_PARAMETERS = frozenset(
    {
        "client_name",
        "db",
        "health_check_interval",
        "password",
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_cert_reqs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_keyfile",
        "ssl_min_version",
        "username",
    }
)
_PORT = 6379
_TLS_PREFIX = "ssl_"
_SENTINEL = re.compile(r"^(redis|rediss|valkey|valkeys)?\+?sentinels?$")
_CLUSTER = re.compile(r"^(redis|rediss|valkey|valkeys)\+?clusters?$")
_KNOWN = "redis://, rediss://, valkey://, valkeys:// or unix://"


def driver_url(text: str) -> str:
    """Return a URL as the driver wants it.

    Raises CacheMisconfigured, with one line that names the fault.
    """
    scheme, mark, rest = text.partition("://")
    scheme = scheme.lower()
    if not mark:
        raise CacheMisconfigured(f"is no URL: it begins with {_KNOWN}")
    if _SENTINEL.match(scheme):
        raise CacheMisconfigured(
            "names sentinels, which are not supported yet: name the server itself by redis://"
        )
    if _CLUSTER.match(scheme):
        raise CacheMisconfigured(
            "names a cluster, which is not supported yet: name a single server by redis://"
        )
    if scheme not in _SCHEMES:
        raise CacheMisconfigured(f"begins with {_KNOWN}")
    driver_scheme = _SCHEMES[scheme]
    _refuse_bad_parts(driver_scheme, f"{driver_scheme}://{rest}")
    return f"{driver_scheme}://{rest}"


def server_name(text: str) -> str:
    """Return the host and the port of a URL, or the path of its socket, for messages.

    No message repeats the user, the password or the database. Raises CacheMisconfigured.
    """
    parts = urlsplit(driver_url(text))
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or _PORT}"


def _refuse_bad_parts(scheme: str, text: str) -> None:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        # `from None`: the cause may quote a password.
        raise CacheMisconfigured(
            "has a port that is no number from 1 to 65535, or a password whose special "
            "characters are not percent-encoded"
        ) from None
    if parts.fragment:
        raise CacheMisconfigured("has a '#': in a password it is written %23")
    if set(parameters) - _PARAMETERS:
        raise CacheMisconfigured(
            "has an unknown parameter behind '?'; in a password '?' is written %3F"
        )
    if scheme != "rediss" and any(name.startswith(_TLS_PREFIX) for name in parameters):
        raise CacheMisconfigured("has a parameter of TLS: then it begins with rediss://")
    if not parameters.get("db", "0").isascii() or not parameters.get("db", "0").isdigit():
        raise CacheMisconfigured("has a database that is no number")
    if scheme == "unix":
        if not parts.path:
            raise CacheMisconfigured("has no path of a socket")
        return
    if not host or port == 0:
        raise CacheMisconfigured("has no host, or the port 0")
    if not re.fullmatch(r"(/[0-9]{0,9})?", parts.path, re.ASCII):
        raise CacheMisconfigured("has a database that is no number: it ends with /0, /1, …")
