"""Reads the URL of a Redis as deployments write it, and names in one line what is wrong.

    redis://  valkey://        host, port, database number; user and password if there are any
    rediss:// valkeys://       the same over TLS
    unix://                    the path of a socket

The driver turns a bad value of a parameter into an error of its own, or ignores the value, or
fails at the first connection as if Redis were away. So each value is read here first.

No message repeats any part of a URL: each part may be, or hold, a password.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cache.errors import CacheMisconfigured

_SCHEMES: Mapping[str, str] = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "unix",
}
_ANY_TEXT = re.compile(r".*", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
_PATH = re.compile(r"[^\0]+", re.DOTALL)
PARAMETERS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "client_name": (re.compile(r"[!-~]*"), "visible ASCII without spaces"),
    "db": (_NUMBER, "a number"),
    "health_check_interval": (_NUMBER, "a number of seconds"),
    "password": (_ANY_TEXT, "a text"),
    "ssl_ca_certs": (_PATH, "the path of a file"),
    "ssl_ca_path": (_PATH, "the path of a folder"),
    "ssl_cert_reqs": (re.compile(r"none|optional|required"), "none, optional or required"),
    "ssl_certfile": (_PATH, "the path of a file"),
    "ssl_check_hostname": (re.compile(r"(?i)true|false|yes|no|1|0"), "true or false"),
    "ssl_keyfile": (_PATH, "the path of a file"),
    "ssl_min_version": (re.compile(r"771|772"), "771 (TLS 1.2) or 772 (TLS 1.3)"),
    "username": (_ANY_TEXT, "a text"),
}
"""The values of each parameter that a URL may have, as a pattern and in words."""

_PORT = 6379
_TLS_PREFIX = "ssl_"
_TLS_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
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
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        # `from None`: the cause may quote a password.
        raise CacheMisconfigured(
            "has a port that is no number from 1 to 65535, or a password whose special "
            "characters are not percent-encoded"
        ) from None
    if parts.fragment:
        raise CacheMisconfigured("has a '#': in a password it is written %23")
    _refuse_bad_parameters(scheme, pairs)
    if scheme == "unix":
        if not parts.path:
            raise CacheMisconfigured("has no path of a socket")
        return
    if not host or port == 0:
        raise CacheMisconfigured("has no host, or the port 0")
    if not re.fullmatch(r"(/[0-9]{0,9})?", parts.path, re.ASCII):
        raise CacheMisconfigured("has a database that is no number: it ends with /0, /1, …")


def _refuse_bad_parameters(scheme: str, pairs: list[tuple[str, str]]) -> None:
    parameters = dict(pairs)
    if set(parameters) - set(PARAMETERS):
        raise CacheMisconfigured(
            "has an unknown parameter behind '?'; in a password '?' is written %3F"
        )
    if len(pairs) > len(parameters):
        raise CacheMisconfigured("has a parameter twice behind '?'")
    if scheme != "rediss" and any(name.startswith(_TLS_PREFIX) for name in parameters):
        raise CacheMisconfigured("has a parameter of TLS: then it begins with rediss://")
    for name, value in parameters.items():
        pattern, meaning = PARAMETERS[name]
        if not pattern.fullmatch(value):
            raise CacheMisconfigured(f"has a {name} that is not {meaning}")
    _refuse_unreadable(parameters)


def _refuse_unreadable(parameters: Mapping[str, str]) -> None:
    """Read the files of TLS, which the driver reads at its first connection alone."""
    if not any(name in parameters for name in _TLS_FILES):
        return
    import ssl  # noqa: PLC0415 - few URLs name files, and the import takes 10 ms of a start

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    folder = parameters.get("ssl_ca_path")
    if folder is not None and not Path(folder).is_dir():
        raise CacheMisconfigured("has an ssl_ca_path that is not the path of a folder")
    name = "ssl_ca_certs"
    try:
        if name in parameters:
            context.load_verify_locations(cafile=parameters[name])
        if "ssl_certfile" in parameters:
            name = "ssl_certfile or ssl_keyfile"
            # An empty password: otherwise a key with a password would ask the terminal for it.
            context.load_cert_chain(
                parameters["ssl_certfile"], parameters.get("ssl_keyfile"), password=""
            )
        elif "ssl_keyfile" in parameters:
            raise CacheMisconfigured("has an ssl_keyfile without an ssl_certfile")
    except OSError:
        # `from None`: the cause quotes the path.
        raise CacheMisconfigured(
            f"has an {name} that cannot be used: no such file, or no PEM"
        ) from None
