"""The network address of a caller: everything that counts or bounds by address asks here."""

from typing import Any

UNKNOWN = ""
"""The address of a caller whose address the server does not know."""


def caller_address(scope: Any) -> str:
    """Return the address of the peer of a request, from the ASGI scope."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else UNKNOWN
