"""Reads the URL of a Redis as deployments write it, and names in one line what is wrong.

    redis://  valkey://        host, port, database number; user and password if there are any
    rediss:// valkeys://       the same over TLS
    unix://                    the path of a socket
    redis+sentinel://          the sentinels' hosts and ports, with commas in between; the path has
                               the name of the master, then the database number. The user and
                               the password are those of the master
    rediss+sentinel://         the same over TLS, to the sentinels and to the master
    redis+cluster://           hosts and ports of some nodes of a cluster, with commas in between;
                               user and password are the same on all nodes
    rediss+cluster://          the same over TLS

The driver turns a bad value of a parameter into an error of its own, or ignores the value, or
fails at the first connection as if Redis were away. So each value is read here first.

No message repeats any part of a URL: each part may be, or hold, a password.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

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
_SENTINEL = re.compile(r"^(?:(redis|rediss|valkey|valkeys)\+)?sentinels?$")
_CLUSTER = re.compile(r"^(redis|rediss|valkey|valkeys)\+clusters?$")
_KNOWN = (
    "redis://, rediss://, valkey://, valkeys://, unix://, redis+sentinel:// or redis+cluster://"
)

SENTINEL_PORT: Final = 26379
SENTINELS_MAX: Final = 15
NODES_MAX: Final = 15
"""Some nodes of a cluster are enough: each of them knows all others."""

_SENTINEL_PARAMETERS: Final = ("sentinel_username", "sentinel_password")
_MASTER_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_PLACEHOLDER: Final = "the-master"
"""The host in the driver's URL of a master whose address sentinels or a cluster know."""

Addresses: TypeAlias = tuple[tuple[str, int], ...]
"""Hosts and ports."""


class SentinelGroup(NamedTuple):
    """The sentinels that know a master, the master's name, and how sentinels are asked."""

    addresses: Addresses
    master: str
    username: str | None
    password: str | None


class RedisTarget(NamedTuple):
    """A URL as the driver wants it; with `sentinels` or `nodes` its host is only a placeholder.

    `nodes` are those of a cluster; empty: the URL names no cluster.
    """

    url: str
    sentinels: SentinelGroup | None = None
    nodes: Addresses = ()


def redis_target(text: str) -> RedisTarget:
    """Return where a URL leads.

    Raises CacheMisconfigured, with one line that names the fault.
    """
    scheme, mark, rest = text.partition("://")
    scheme = scheme.lower()
    if not mark:
        raise CacheMisconfigured(f"is no URL: it begins with {_KNOWN}")
    watched = _SENTINEL.match(scheme)
    if watched:
        return _watched_target(_SCHEMES[watched[1] or "redis"], rest)
    cluster = _CLUSTER.match(scheme)
    if cluster:
        return _cluster_target(_SCHEMES[cluster[1]], rest)
    if scheme not in _SCHEMES:
        raise CacheMisconfigured(f"begins with {_KNOWN}")
    driver_scheme = _SCHEMES[scheme]
    _refuse_bad_parts(driver_scheme, f"{driver_scheme}://{rest}")
    return RedisTarget(f"{driver_scheme}://{rest}")


def _watched_target(scheme: str, rest: str) -> RedisTarget:
    before, mark, query = rest.partition("?")
    authority, _, path = before.partition("/")
    user, at, hosts = authority.rpartition("@")
    master, _, database = path.partition("/")
    if not _MASTER_NAME.fullmatch(master):
        raise CacheMisconfigured(
            "names sentinels without a master: it ends with /, the master's name, and the database"
        )
    addresses = _addresses(hosts, "sentinel", SENTINEL_PORT, SENTINELS_MAX)
    pairs, own = _divided(query)
    url = f"{scheme}://{user}{at}{_PLACEHOLDER}/{database}" + (
        f"?{urlencode(pairs)}" if mark else ""
    )
    _refuse_bad_parts(scheme, url)
    username, password = (own.get(name) for name in _SENTINEL_PARAMETERS)
    return RedisTarget(url, SentinelGroup(addresses, master, username, password))


def _cluster_target(scheme: str, rest: str) -> RedisTarget:
    before, mark, query = rest.partition("?")
    authority, _, path = before.partition("/")
    user, at, hosts = authority.rpartition("@")
    nodes = _addresses(hosts, "node", _PORT, NODES_MAX)
    url = f"{scheme}://{user}{at}{_PLACEHOLDER}/{path}{mark}{query}"
    _refuse_bad_parts(scheme, url)
    databases = {path.lstrip("0"), dict(parse_qsl(query)).get("db", "").lstrip("0")}
    if databases != {""}:
        raise CacheMisconfigured("names a database: a cluster has the database 0 alone")
    return RedisTarget(url, nodes=nodes)


def _divided(query: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return the parameters of the master, and those of its sentinels."""
    pairs = parse_qsl(query, keep_blank_values=True)
    own = [pair for pair in pairs if pair[0] in _SENTINEL_PARAMETERS]
    if len(own) > len(dict(own)):
        raise CacheMisconfigured("has a parameter twice behind '?'")
    return [pair for pair in pairs if pair not in own], dict(own)


def _addresses(hosts: str, kind: str, port: int, most: int) -> Addresses:
    """Return the hosts with commas in between; `port` is that of a host without one."""
    found = tuple(_address(each, kind, port) for each in hosts.split(","))
    if len(found) > most:
        raise CacheMisconfigured(f"names more than {most} {kind}s")
    return found


def _address(text: str, kind: str, usual_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or parts.username is not None or parts.path:
        raise CacheMisconfigured(f"has a {kind} that is no host with a port from 1 to 65535")
    return host, port or usual_port


def server_name(text: str) -> str:
    """Return the host and the port of a URL, or the path of its socket, for messages.

    Of a master that sentinels know, its name and theirs; of a cluster, the nodes of the URL. No
    message repeats the user, the password or the database. Raises CacheMisconfigured.
    """
    target = redis_target(text)
    if target.sentinels is not None:
        sentinels = _listed(target.sentinels.addresses)
        return f"the master {target.sentinels.master} of the sentinels {sentinels}"
    if target.nodes:
        return f"the cluster of {_listed(target.nodes)}"
    parts = urlsplit(target.url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or _PORT}"


def _listed(addresses: Addresses) -> str:
    return ", ".join(f"{host}:{port}" for host, port in addresses)


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
