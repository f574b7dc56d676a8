"""Connections to endpoints: to addresses that the rules permit, and to no others.

A connection goes to a permitted address in numbers (`checker.notices.network`), so that a second
answer for the name changes nothing (DNS rebinding). TLS still verifies the name.
"""

from collections.abc import Iterable

import httpcore

from checker.notices.endpoint import EndpointRules
from checker.notices.network import CannotResolve, Resolve, permitted_addresses, resolve


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """A network for httpcore on which only what the rules allow can be reached."""

    def __init__(self, rules: EndpointRules, resolve_host: Resolve = resolve) -> None:
        self._rules = rules
        self._resolve = resolve_host
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers."""
        try:
            addresses = await permitted_addresses(host, port, self._rules, self._resolve)
        except CannotResolve:
            raise httpcore.ConnectError("the name leads nowhere") from None
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Pause, as httpcore asks between attempts of its own."""
        await self._network.sleep(seconds)
