"""The network address of a caller: everything that counts or bounds by address asks here."""

from typing import Any

UNKNOWN = ""
"""The address of a caller whose address the server does not know."""


def caller_address(scope: Any) -> str:
    """Return the address of the peer of a request, from the ASGI scope."""
    client = scope.get("client")
    return str(client[0]) if client else UNKNOWN
