"""Resolves the name of an endpoint, and holds each address against the rules."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from checker.notices.endpoint import EndpointRules

RESOLVE_TIMEOUT_S: Final = 5.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """The name leads to an address that the rules do not allow."""


class CannotResolve(Exception):
    """The name has no address, or its servers do not answer."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host in numbers.

    Raises:
        CannotResolve: the host has no address, or the answer takes too long.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        raise CannotResolve from None
    # An IPv6 address may carry the zone of a link (`%eth0`), which no public one does.
    return list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))


async def permitted_addresses(
    host: str, port: int, rules: EndpointRules, resolve_host: Resolve = resolve
) -> Sequence[str]:
    """Return the addresses of a host, if the rules permit all of them.

    Raises:
        AddressRefused: the rules refuse one address, so the name is no public endpoint.
        CannotResolve: the host has no address.
    """
    addresses = await resolve_host(host, port)
    if not all(map(rules.permits, addresses)):
        raise AddressRefused
    return addresses
