"""The baseline without a framework: an ASGI callable that decodes the body and sends a constant.

It runs under granian on uvloop. It asks no store, so it shows the cost of ASGI alone.
"""

from typing import Any

import msgspec

from loadtest.baselines.question import BaselineCheck

_decode = msgspec.json.Decoder(BaselineCheck).decode
_BODY = b'{"decision":"allow"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Allow everybody whose body can be read."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    _decode(body)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
