"""The address of a caller: one place says it, for everything that is counted or bound by it."""

from typing import Any

UNKNOWN = ""
"""What callers have whom the server knows no address of."""


def caller_address(scope: Any) -> str:
    """Return the address of the peer of a request, as the ASGI scope has it."""
    client = scope.get("client")
    return str(client[0]) if client else UNKNOWN
