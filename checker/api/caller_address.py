"""The address of a caller: one place says it, for everything that is counted or bound by it."""

from typing import Any

UNKNOWN = ""
"""The address of a caller whose address the server does not know."""


def caller_address(scope: Any) -> str:
    """Return the address of the peer of a request, as the ASGI scope has it."""
    client = scope.get("client")
    return str(client[0]) if client else UNKNOWN
