"""The quarantine: lines of the feed that were rejected, with the reasons, and another try.

A line waits until a retry puts it in force: an unknown listing may have come since, or the service
may have learnt to read the line. The text of a line holds numbers and names, and is shown to courts
alone.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Annotated, Any, Final

import msgspec

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.feed import FEED, REPORT
from checker.api.metrics import FeedKind
from checker.api.operation import RequestBody, Success
from checker.api.paging import AFTER, LIMIT, PAGING, cut_page
from checker.api.parameters import NUMBER_MAX, whole_number
from checker.domain.clock import InstantText, instant_text
from checker.errors import NotFound
from checker.intake.quarantine import LineViewer, QuarantinedLine
from checker.intake.report import FeedReport
from checker.node.runtime import Runtime
from checker.operators.action import ActionAuthor, OperatorAction
from checker.registry.entry import RejectCode

RETRY_LINES_MAX = 10_000
RETRY_BYTES_MAX = 256 * 1024
"""10 000 ids of twenty digits."""

_Id = Annotated[int, msgspec.Meta(ge=1, le=NUMBER_MAX)]
_LINE: Final = {
    "id": 17,
    "feed": "5a6c1f9e-8f60-4b8f-8f0b-2b1f6c1d9e01",
    "format": "operation",
    "line": 3,
    "code": "unknown-listing",
    "detail": "there is no such listing",
    "at": "2026-11-23T01:02:03.456Z",
}


class OpenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line in quarantine. All lines of one transfer have the same `feed`."""

    id: int
    feed: str
    format: str
    line: int
    code: RejectCode
    detail: str
    at: InstantText


class QuarantinePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of open lines, oldest first. Send `next` as `after`; null means the last page."""

    lines: tuple[OpenLine, ...]
    next: int | None


class LineAsSent(OpenLine, frozen=True, kw_only=True):
    """A line with its text; `raw` is null if the key may not read it."""

    raw: str | None


class RetryLines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines to try again; without `ids` all open lines."""

    ids: (
        Annotated[tuple[_Id, ...], msgspec.Meta(min_length=1, max_length=RETRY_LINES_MAX)] | None
    ) = None


@endpoint(
    "GET",
    "/v1/feed/quarantine",
    may=(Action.SEE_QUARANTINE,),
    tag=FEED,
    query=PAGING,
    answers=(Success(kinds=(QuarantinePage,), example={"lines": [_LINE], "next": None}),),
)
async def list_quarantine(call: Call) -> Reply:
    """List the open lines in quarantine, with the reason of each.

    The list never shows the text of a line. A court that is bound to `courts` sees only its own
    lines.
    """
    limit = call.query(LIMIT)
    found, last = cut_page(
        await call.runtime.quarantine.open_lines(call.query(AFTER), limit + 1, _viewer(call)), limit
    )
    lines = tuple(OpenLine(**_fields(line)) for line in found)
    return json_reply(QuarantinePage(lines=lines, next=None if last is None else last.id))


@endpoint(
    "GET",
    "/v1/feed/quarantine/{line_id}",
    may=(Action.SEE_QUARANTINE,),
    tag=FEED,
    answers=(Success(kinds=(LineAsSent,), example=_LINE | {"raw": None}),),
    raises=(NotFound,),
)
async def show_quarantined_line(call: Call) -> Reply:
    """Show one line, open or resolved.

    A court sees the text of the line in `raw`; for operators `raw` is null.
    """
    wanted = whole_number(call.path("line_id"))
    if wanted is None:
        raise NotFound("no line in quarantine has this id")
    line, raw = await call.runtime.quarantine.read(wanted, _viewer(call))
    shown = raw if call.caller.may(Action.PUBLISH) else None
    return json_reply(LineAsSent(**_fields(line), raw=shown))


@endpoint(
    "POST",
    "/v1/feed/quarantine/retry",
    may=(Action.RETRY_QUARANTINE,),
    logs=OperatorAction.RETRY_QUARANTINE,
    tag=FEED,
    body=RequestBody(kinds=(RetryLines,), bytes_max=RETRY_BYTES_MAX, example={"ids": [17, 18]}),
    answers=(Success(kinds=(FeedReport,), example=REPORT),),
    raises=(NotFound,),
)
async def retry_quarantine(call: Call) -> Reply:
    """Read lines in quarantine again, as they were sent.

    An accepted line is in force when the answer comes, and leaves the quarantine.
    """
    asked = await call.body(RetryLines)
    started = perf_counter()
    report = await retried(call.runtime, asked.ids, _viewer(call), call.author)
    call.metrics.fed(FeedKind.RETRY, report, perf_counter() - started)
    return json_reply(report)


async def retried(
    runtime: Runtime, ids: Sequence[int] | None, viewer: LineViewer, author: ActionAuthor
) -> FeedReport:
    """Try lines again, and log this. Raises as `QuarantinedLines.retry`."""
    lines = "open" if ids is None else list(ids)
    log, retry = runtime.operator_log, OperatorAction.RETRY_QUARANTINE
    async with log.around(retry, None, by=author, details={"lines": lines}) as result:
        report = await runtime.quarantine.retry(ids, viewer)
        result.details = {"accepted": report.accepted, "rejected": report.rejected_count}
    return report


def _viewer(call: Call) -> LineViewer:
    """Return what the caller may see: an account that is bound to courts sees its own lines."""
    courts = call.caller.courts
    return LineViewer(account_id=None if courts is None else call.caller.account_id, courts=courts)


def _fields(line: QuarantinedLine) -> dict[str, Any]:
    return {**msgspec.structs.asdict(line), "at": instant_text(line.at)}
