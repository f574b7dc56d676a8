"""The courts' feed: the whole list or changes of the list, as NDJSON that is never held in memory.

A body is received as a whole before anything is done with it (`checker.api.uploads`). When the
answer comes, the accepted lines are durable and in force on every node.
"""

from typing import Any, Final

from litestar import Request

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.feed_terms import FeedHeaders, watched
from checker.api.metrics import FeedKind
from checker.api.operation import NDJSON, RequestBody, Success, Tag
from checker.api.parameters import flag, word
from checker.api.uploads import Uploads
from checker.errors import Conflict, Fault, IdempotencyKeyReused, InvalidRequest, TooLarge
from checker.formats.formats import LIST_FORMATS
from checker.formats.listing import LISTING, ListingLine
from checker.formats.operation import OperationLine
from checker.intake.report import FeedReport
from checker.intake.wanted import Wanted
from checker.text_encoding import Utf8Text

FEED: Final = Tag(name="feed", description="The courts' feed, and the lines it rejected.")
REPORT: Final = {"version": 43, "accepted": 1, "rejected": [], "rejected_count": 0}

_FORMAT: Final = word("format", "How each line is written", LIST_FORMATS, default=LISTING.name)
_ALLOW_EMPTY: Final = flag("allow_empty", "Accept a list without any listing")
_ALLOW_SHRINK: Final = flag("allow_shrink", "Accept a list that is much shorter than before")
_ALLOW_REJECTED: Final = flag("allow_rejected", "Accept a list of which many lines were rejected")
_STRICT: Final = flag("strict", "Apply all lines or none")
_LISTING: Final = {
    "id": "707091354",
    "case_number": "（2016）粤0882执123号",
    "court": "雷州市人民法院",
    "filed_on": "2016-05-04",
    "published_on": "2016-07-07",
    "public": True,
    "party": {
        "type": "person",
        "name": "陈示例",
        "documents": [{"type": "resident_id", "number": "440882189001011230"}],
    },
}


@endpoint(
    "PUT",
    "/v1/feed/snapshot",
    may=(Action.PUBLISH,),
    tag=FEED,
    query=(_FORMAT, _ALLOW_EMPTY, _ALLOW_SHRINK, _ALLOW_REJECTED),
    body=RequestBody(kinds=(ListingLine,), bytes_max=None, example=_LISTING, media_type=NDJSON),
    answers=(Success(kinds=(FeedReport,), example=REPORT),),
    raises=(Conflict, TooLarge, IdempotencyKeyReused),
    is_conditional=True,
)
async def put_snapshot(call: Call) -> Reply:
    """Replace the whole list in one step, by the lines of the body.

    A rejected line changes nothing and is kept in quarantine. The accepted lines are durable and in
    force on every node when the answer comes.

    A list of which all lines, or more than a tenth, were rejected changes nothing: the answer is
    400, and `errors` names the lines. The lines are UTF-8, GB18030, GBK, GB2312 or UTF-16; name
    another charset than UTF-8 in `Content-Type`.
    """
    _refuse_bodiless(call.request)
    headers = FeedHeaders(call.request)
    feed_format = call.query(_FORMAT)
    allow_empty, allow_shrink = call.query(_ALLOW_EMPTY), call.query(_ALLOW_SHRINK)
    allow_rejected = call.query(_ALLOW_REJECTED)
    runtime, caller, receive = call.runtime, call.caller, call.receive
    uploads: Uploads = call.request.app.state.uploads
    async with uploads.take(receive, caller.account_id) as body:
        wanted = Wanted()
        async with watched(receive, wanted):
            report = await runtime.feed.replace(
                Utf8Text(body.chunks, headers.charset),
                feed_format=feed_format,
                allow_empty=allow_empty,
                allow_shrink=allow_shrink,
                allow_rejected=allow_rejected,
                terms=headers.terms(caller, wanted, body, runtime.sealer),
            )
    call.metrics.fed(FeedKind.SNAPSHOT, report, body.seconds_since_end)
    return json_reply(report)


def _refuse_bodiless(request: Request[Any, Any, Any]) -> None:
    """Refuse a request that has no body at all, because it would empty the list.

    A sender that means an empty list sends a body of no bytes, and `allow_empty=true`.
    """
    if not {"content-length", "transfer-encoding"}.intersection(request.headers):
        raise InvalidRequest("the request has no body", [Fault("", "send the lines of the list")])


@endpoint(
    "POST",
    "/v1/feed/changes",
    may=(Action.PUBLISH,),
    tag=FEED,
    query=(_STRICT,),
    body=RequestBody(
        kinds=(OperationLine,),
        bytes_max=None,
        example={"op": "delist", "listing_id": "707091354", "ground": "fulfilled"},
        media_type=NDJSON,
    ),
    answers=(Success(kinds=(FeedReport,), example=REPORT),),
    raises=(Conflict, TooLarge, IdempotencyKeyReused),
    is_conditional=True,
)
async def post_changes(call: Call) -> Reply:
    """Change the list, operation by operation, as in the order of the lines.

    Delistings, shields and permits come into force before the lines above them that concern other
    listings. The list, and the result of each line, is the same as in the order of the lines.

    A rejected line changes nothing and is kept in quarantine. The accepted lines stand, unless
    `strict` asks for all or nothing.
    """
    headers = FeedHeaders(call.request)
    strict = call.query(_STRICT)
    runtime, caller, receive = call.runtime, call.caller, call.receive
    uploads: Uploads = call.request.app.state.uploads
    async with uploads.take(receive, caller.account_id) as body:
        wanted = Wanted()
        async with watched(receive, wanted):
            terms = headers.terms(caller, wanted, body, runtime.sealer)
            text = Utf8Text(body.chunks, headers.charset)
            report = await runtime.changes.apply(text, strict=strict, terms=terms)
    call.metrics.fed(FeedKind.CHANGES, report, body.seconds_since_end)
    return json_reply(report)
