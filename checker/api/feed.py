"""The courts' feed: the whole list, or changes of it, as NDJSON that is never held in memory.

A body is taken in whole before anything is done with it (`checker.api.uploads`). When an answer
comes, the accepted lines are durable and in force on every node.
"""

from typing import Any

from litestar import Request, Response, post, put

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.feed_terms import FeedHeaders, watched
from checker.api.metrics import FeedKind
from checker.api.parameters import flag, refuse_unknown
from checker.api.responses import respond_json
from checker.api.uploads import Uploads
from checker.errors import Fault, InvalidRequest
from checker.formats.feed_format import ListFormat
from checker.formats.formats import LIST_FORMATS
from checker.formats.listing import LISTING
from checker.intake.wanted import Wanted
from checker.node.runtime import Runtime

_SNAPSHOT_PARAMETERS = ("format", "allow_empty", "allow_shrink")
_CHANGES_PARAMETERS = ("strict",)


@put("/v1/feed/snapshot")
async def put_snapshot(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Replace the list by the lines of the body.

    A rejected line changes nothing and is kept in quarantine; the accepted ones stand.
    """
    caller = await require(request, Action.PUBLISH)
    refuse_unknown(request, _SNAPSHOT_PARAMETERS)
    headers = FeedHeaders(request)
    feed_format = _format(request.query_params.get("format"))
    allow_empty, allow_shrink = flag(request, "allow_empty"), flag(request, "allow_shrink")
    runtime: Runtime = request.app.state.runtime
    uploads: Uploads = request.app.state.uploads
    async with uploads.take(request.receive, caller.account_id) as body:
        wanted = Wanted()
        async with watched(request.receive, wanted):
            report = await runtime.feed.replace(
                body.chunks(),
                feed_format=feed_format,
                allow_empty=allow_empty,
                allow_shrink=allow_shrink,
                terms=headers.terms(caller, wanted, body, runtime.sealer),
            )
    request.app.state.metrics.fed(FeedKind.SNAPSHOT, report, body.seconds_since_end)
    return respond_json(report)


@post("/v1/feed/changes", status_code=200)
async def post_changes(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Apply the operations of the body, in order.

    A rejected line changes nothing and is kept in quarantine; the accepted ones stand, unless
    `strict` asks for all or nothing.
    """
    caller = await require(request, Action.PUBLISH)
    refuse_unknown(request, _CHANGES_PARAMETERS)
    headers = FeedHeaders(request)
    strict = flag(request, "strict")
    runtime: Runtime = request.app.state.runtime
    uploads: Uploads = request.app.state.uploads
    async with uploads.take(request.receive, caller.account_id) as body:
        wanted = Wanted()
        async with watched(request.receive, wanted):
            terms = headers.terms(caller, wanted, body, runtime.sealer)
            report = await runtime.changes.apply(body.chunks(), strict=strict, terms=terms)
    request.app.state.metrics.fed(FeedKind.CHANGES, report, body.seconds_since_end)
    return respond_json(report)


def _format(text: str | None) -> ListFormat:
    found = LIST_FORMATS.get(text or LISTING.name)
    if found is None:
        known = " or ".join(LIST_FORMATS)
        raise InvalidRequest("format is not known", [Fault("/format", f"is {known}")])
    return found
