"""A body that is used while it arrives: past sales, each line of which is judged by itself."""

from collections.abc import AsyncIterator
from typing import Any

from checker.errors import InvalidRequest


async def arriving_chunks(receive: Any, *, if_cut: str) -> AsyncIterator[bytes]:
    """Yield a body, part by part; a body that was cut off raises an error, and does not just end.

    Raises:
        InvalidRequest: the sender closed the connection before the end; its text is `if_cut`.
    """
    more = True
    while more:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest(if_cut)
        more = message.get("more_body", False)
        yield message.get("body", b"")
