"""The network address of a caller, and whether TLS protects the way from the caller.

Everything that counts or bounds by address asks here.

A proxy hides the address of its caller, and names the address in `Forwarded` (RFC 7239) or in
`X-Forwarded-For`. Anybody can send these headers. So they are read only from the proxies that the
setting `[server] trusted_proxies` names, and from the end: each trusted proxy has added the address
of its own peer, and the first address that is no trusted proxy's is the caller's.

A proxy that ends TLS says so by `proto=https` or `X-Forwarded-Proto`. The word of the first proxy
counts, which the caller reached: a later proxy may speak plain HTTP to its neighbour. A trusted
proxy must overwrite what the caller sent. If it does not, a caller can only harm himself: the
cookies of this caller are then sent over TLS alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias

UNKNOWN = ""
"""The address of a caller whose address the server does not know."""

Network: TypeAlias = IPv4Network | IPv6Network

_FORWARDED: Final = b"forwarded"
_X_FORWARDED_PROTO: Final = b"x-forwarded-proto"
_X_FORWARDED_FOR: Final = b"x-forwarded-for"


def caller_address(scope: Any) -> str:
    """Return the address of the caller of a request, from the ASGI scope."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else UNKNOWN


class TrustedProxies:
    """The proxies whose word about the address of a caller is believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Raises ValueError for a text that is no network in CIDR form."""
        self._networks = tuple(map(ip_network, networks))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def behind(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """Return the address of the caller of a request that came from `peer`.

        The address is `UNKNOWN` if a trusted proxy names none, or names it in another form.
        """
        address = peer
        named = reversed(list(_named(headers)))
        while self._trusts(address):
            address = next(named, UNKNOWN)
        return address

    def names_tls(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Return whether a trusted proxy says that the caller has come over TLS."""
        return self._trusts(peer) and next(_schemes(headers), UNKNOWN) == "https"

    def _trusts(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _named(headers: Sequence[tuple[bytes, bytes]]) -> Iterator[str]:
    """Yield the addresses that the headers name, the one of the last proxy last."""
    by_forwarded = any(name == _FORWARDED for name, _ in headers)
    wanted = _FORWARDED if by_forwarded else _X_FORWARDED_FOR
    for name, value in headers:
        if name != wanted:
            continue
        for part in value.decode("latin-1").split(","):
            yield _bare(_value_in(part, "for") if by_forwarded else part.strip())


def _schemes(headers: Sequence[tuple[bytes, bytes]]) -> Iterator[str]:
    """Yield the schemes that the headers name, the one of the first proxy first."""
    for name, value in headers:
        parts = value.decode("latin-1").lower().split(",")
        if name == _FORWARDED:
            yield from (_value_in(part, "proto") for part in parts)
        elif name == _X_FORWARDED_PROTO:
            yield from (part.strip() for part in parts)


def _value_in(element: str, wanted: str) -> str:
    """Return the value of a parameter in one element of `Forwarded`, without quotes."""
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == wanted:
            return value.strip().strip('"')
    return UNKNOWN


def _bare(node: str) -> str:
    """Return an address without its port and brackets; `UNKNOWN` for what is no address."""
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    try:
        return str(ip_address(node))
    except ValueError:
        return UNKNOWN
