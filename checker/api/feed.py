"""`PUT /v1/feed/snapshot`: the courts' list, whole, as NDJSON that is never held in memory."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, Response, put

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.responses import respond_json
from checker.errors import Fault, InvalidRequest
from checker.registry.entry import FeedFormat

_FLAGS = {"true": True, "false": False}


@put("/v1/feed/snapshot")
async def put_snapshot(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Replace the list by the lines of the body.

    A rejected line changes nothing and is kept in quarantine; the accepted ones stand. When the
    answer comes, the list is durable and in force.
    """
    await require(request, Action.PUBLISH)
    _refuse_unknown(request)
    report = await request.app.state.runtime.feed.replace(
        _chunks(request),
        feed_format=_format(request.query_params.get("format")),
        allow_empty=_flag(request, "allow_empty"),
    )
    return respond_json(report)


async def _chunks(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """Pass the body on as it comes; a transfer that was cut off is no end of the list."""
    while True:
        message: Any = await request.receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the body was cut off; nothing was changed")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def _refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Refuse a parameter that would otherwise silently mean nothing."""
    if set(request.query_params) - {"format", "allow_empty"}:
        fault = Fault("", "the parameters are format and allow_empty")
        raise InvalidRequest("a query parameter is not known", [fault])


def _format(text: str | None) -> FeedFormat:
    try:
        return FeedFormat(text or FeedFormat.LISTING)
    except ValueError:
        known = " or ".join(FeedFormat)
        raise InvalidRequest("format is not known", [Fault("/format", f"is {known}")]) from None


def _flag(request: Request[Any, Any, Any], name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in _FLAGS:
        raise InvalidRequest(f"{name} is not a flag", [Fault(f"/{name}", "is true or false")])
    return _FLAGS[text]
