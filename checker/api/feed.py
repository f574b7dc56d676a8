"""What the courts send: the whole list, or changes of it, as NDJSON that is never held in memory.

When an answer comes, what it accepted is durable and in force on every node.
"""

from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

from litestar import Request, Response, post, put

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.metrics import FeedKind
from checker.api.parameters import flag, refuse_unknown
from checker.api.responses import respond_json
from checker.errors import Fault, InvalidRequest
from checker.registry.entry import FeedFormat
from checker.runtime import Runtime

_SNAPSHOT_PARAMETERS = ("format", "allow_empty", "allow_shrink")
_CHANGES_PARAMETERS = ("strict",)
_NOTHING_CHANGED = "the body was cut off; nothing was changed"
# What stands are whole lines, and a line that is sent again changes nothing.
_SOME_STAND = (
    "the body was cut off; lines that came before the cut may stand: send all of them again"
)


@put("/v1/feed/snapshot")
async def put_snapshot(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Replace the list by the lines of the body.

    A rejected line changes nothing and is kept in quarantine; the accepted ones stand.
    """
    await require(request, Action.PUBLISH)
    refuse_unknown(request, _SNAPSHOT_PARAMETERS)
    transfer = Transfer(request, if_cut=_NOTHING_CHANGED)
    runtime: Runtime = request.app.state.runtime
    report = await runtime.feed.replace(
        transfer.chunks(),
        feed_format=_format(request.query_params.get("format")),
        allow_empty=flag(request, "allow_empty"),
        allow_shrink=flag(request, "allow_shrink"),
    )
    request.app.state.metrics.fed(FeedKind.SNAPSHOT, report, transfer.seconds_since_end)
    return respond_json(report)


@post("/v1/feed/changes", status_code=200)
async def post_changes(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Apply the operations of the body, in order.

    A rejected line changes nothing and is kept in quarantine; the accepted ones stand, unless
    `strict` asks for all or nothing.
    """
    await require(request, Action.PUBLISH)
    refuse_unknown(request, _CHANGES_PARAMETERS)
    strict = flag(request, "strict")
    transfer = Transfer(request, if_cut=_NOTHING_CHANGED if strict else _SOME_STAND)
    runtime: Runtime = request.app.state.runtime
    report = await runtime.changes.apply(transfer.chunks(), strict=strict)
    request.app.state.metrics.fed(FeedKind.CHANGES, report, transfer.seconds_since_end)
    return respond_json(report)


class Transfer:
    """One body as it comes in; a transfer that was cut off is no end of what it brings."""

    def __init__(self, request: Request[Any, Any, Any], *, if_cut: str) -> None:
        self._request = request
        self._if_cut = if_cut
        self._ended_at = perf_counter()

    @property
    def seconds_since_end(self) -> float:
        """How long ago the last byte came."""
        return perf_counter() - self._ended_at

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pass the body on.

        Raises:
            InvalidRequest: the sender went away before its end.
        """
        more = True
        while more:
            message: Any = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest(self._if_cut)
            more = message.get("more_body", False)
            self._ended_at = perf_counter()
            yield message.get("body", b"")


def _format(text: str | None) -> FeedFormat:
    try:
        return FeedFormat(text or FeedFormat.LISTING)
    except ValueError:
        known = " or ".join(FeedFormat)
        raise InvalidRequest("format is not known", [Fault("/format", f"is {known}")]) from None
