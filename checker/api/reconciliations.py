"""Reconciliations: past sales come in, and those that the list of their time refused are reported.

The file is judged as it comes in and kept nowhere. The results are kept for a month: the adverse
sales by their line, and the lines that could not be read.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.response import Stream

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.checks import CHECK_EXAMPLE
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, encode, json_reply
from checker.api.media_types import declared_charset, media_type_of
from checker.api.operation import NDJSON, RequestBody, Success, Tag
from checker.api.paging import AFTER, LIMIT, PAGING, cut_page
from checker.api.responses import stream
from checker.api.transfer import arriving_chunks
from checker.domain.clock import InstantText, instant_text
from checker.domain.decision import Outcome, Reason
from checker.domain.service import ServiceType
from checker.errors import NotFound, QuotaExceeded
from checker.reconciliation.batches import in_batches, unless_idle
from checker.reconciliation.job import (
    Interruption,
    Reconciliation,
    ReconciliationResult,
    ReconciliationStatus,
)
from checker.reconciliation.past_sale import (
    PastSale,
    Rejected,
    SalesFormat,
    SalesReader,
    sale_lines,
)
from checker.reconciliation.reconciliations import Reconciliations
from checker.text_encoding import utf8_chunks

TAG: Final = Tag(
    name="reconciliations", description="Past sales, judged by the list of their time."
)
ADDRESS: Final = "/v1/reconciliations"
CSV: Final = "text/csv"
RESULTS_AT_ONCE = 1_000
"""The results of one read; a stream of any length holds no more in memory."""

_CUT_OFF = "the body was cut off; GET /v1/reconciliations tells how many lines were dealt with"
_ID: Final = "019aafb2-7c5e-7b7e-8a55-0c6b7d1f2a90"
_DONE: Final = {
    "id": _ID,
    "status": "done",
    "reason": None,
    "created_at": "2026-11-23T01:02:03.456Z",
    "ended_at": "2026-11-23T01:02:04.456Z",
    "lines": 5_000,
    "adverse": 2,
    "rejected": 1,
    "results": f"{ADDRESS}/{_ID}/results",
}
_RUNNING: Final = _DONE | {"status": "running", "ended_at": None}
_LOCATION: Final = {"Location": "The address of the reconciliation"}
_SALE: Final = {
    "subject": CHECK_EXAMPLE["subject"],
    "service": CHECK_EXAMPLE["service"],
    "sold_at": "2026-11-23T01:02:03.456Z",
    "reference": "ORDER-1",
}
_SALE_AS_CSV: Final = (
    "document_type,document_number,sold_at,service,train,seat,reference\n"
    "resident_id,440882189001011230,2026-11-23,rail,G79,second,ORDER-1\n"
)


class ReconciliationView(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a reconciliation. `lines` is the number of the last line that was judged.

    `adverse` counts the sales that would not simply have been allowed, `rejected` the lines that
    could not be judged. `results` is the address of both. `reason` explains `interrupted`: send the
    lines after `lines` as a new reconciliation.
    """

    id: str
    status: ReconciliationStatus
    reason: Interruption | None
    created_at: InstantText
    ended_at: InstantText | None
    lines: int
    adverse: int
    rejected: int
    results: str


class ReconciliationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of reconciliations, oldest first. Send `next` as `after`; null means the last page."""

    reconciliations: tuple[ReconciliationView, ...]
    next: int | None


class AdverseSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that the list of `list_version` would not simply have allowed, with the reasons."""

    line: int
    reference: str | None
    sold_at: InstantText
    service: ServiceType
    jurisdiction: str
    decision: Outcome
    reasons: tuple[Reason, ...]
    list_version: int


class RejectedSale(msgspec.Struct, frozen=True, kw_only=True):
    """A line that could not be judged, with the error."""

    line: int
    error: Rejected


@endpoint(
    "POST",
    ADDRESS,
    may=(Action.RECONCILE,),
    tag=TAG,
    body=RequestBody(
        kinds=(PastSale,),
        bytes_max=None,
        example=_SALE,
        media_type=NDJSON,
        text_examples={CSV: _SALE_AS_CSV},
    ),
    answers=(
        Success(status=201, kinds=(ReconciliationView,), example=_DONE, headers=_LOCATION),
        Success(
            status=202,
            kinds=(ReconciliationView,),
            example=_RUNNING,
            headers=_LOCATION | {"Preference-Applied": "`respond-async`"},
            description="All lines are received; the work goes on",
        ),
    ),
    raises=(QuotaExceeded,),
)
async def create_reconciliation(call: Call) -> Reply:
    """Find the past sales that the list of their time would have refused.

    Send one sale a line, as NDJSON or as CSV with a header. With `Prefer: respond-async` the answer
    comes when all lines are received. A file that is cut off is judged up to the cut.

    The file may be UTF-8, GB18030, GBK, GB2312 or UTF-16; name it as the `charset`. In CSV a line
    is a row, counted with the header: a cell in quotes may hold line breaks.
    """
    request, runtime, caller = call.request, call.runtime, call.caller
    works = runtime.reconciliations
    content_type = request.headers.get("content-type")
    form = SalesFormat.CSV if media_type_of(content_type) == CSV else SalesFormat.NDJSON
    reader = SalesReader(form, caller, runtime.clock.now(), runtime.sealer.document_token)
    chunks = unless_idle(arriving_chunks(call.receive, if_cut=_CUT_OFF))
    lines = sale_lines(form, utf8_chunks(chunks, declared_charset(content_type)))
    await reader.open(lines)
    opened = await works.open(caller)
    headers = {"location": f"{ADDRESS}/{opened.id}"}
    if _is_preferred(request):
        await works.take_in(opened, caller, reader, in_batches(lines))
        found = await works.find(caller.account_id, opened.id)
        headers["preference-applied"] = "respond-async"
        reply = json_reply(_view(found), status=202, headers=headers)
    else:
        done = await works.work(opened, caller, reader, in_batches(lines))
        reply = json_reply(_view(done), status=201, headers=headers)
    await call.spend(0)  # the lines were counted meanwhile: the answer shows what is left now
    return reply


@endpoint(
    "GET",
    ADDRESS,
    may=(Action.RECONCILE,),
    tag=TAG,
    query=PAGING,
    answers=(
        Success(kinds=(ReconciliationsPage,), example={"reconciliations": [_DONE], "next": None}),
    ),
)
async def list_reconciliations(call: Call) -> Reply:
    """List the reconciliations of your account, oldest first.

    A reconciliation is listed even if the answer to its request was lost.
    """
    limit = call.query(LIMIT)
    works = call.runtime.reconciliations
    found, last = cut_page(
        await works.page(call.caller.account_id, call.query(AFTER), limit + 1), limit
    )
    return json_reply(
        ReconciliationsPage(
            reconciliations=tuple(map(_view, found)), next=None if last is None else last.number
        )
    )


@endpoint(
    "GET",
    f"{ADDRESS}/{{reconciliation_id}}",
    may=(Action.RECONCILE,),
    tag=TAG,
    answers=(Success(kinds=(ReconciliationView,), example=_DONE),),
    raises=(NotFound,),
)
async def show_reconciliation(call: Call) -> Reply:
    """Show the progress of a reconciliation.

    `lines` is the number of the last line that was judged.
    """
    works = call.runtime.reconciliations
    return json_reply(
        _view(await works.find(call.caller.account_id, call.path("reconciliation_id")))
    )


@endpoint(
    "GET",
    f"{ADDRESS}/{{reconciliation_id}}/results",
    may=(Action.RECONCILE,),
    tag=TAG,
    query=(AFTER,),
    answers=(
        Success(
            kinds=(AdverseSale, RejectedSale),
            example={
                "line": 17,
                "error": {"code": "no-list", "detail": "no list was in force yet"},
            },
            media_type=NDJSON,
        ),
    ),
    raises=(NotFound,),
)
async def list_reconciliation_results(call: Call) -> Stream:
    """List the adverse sales and the rejected lines of a reconciliation, as NDJSON.

    A running reconciliation lists the results so far. `after` is the number of a line.
    """
    works = call.runtime.reconciliations
    after = call.query(AFTER)
    found = await works.find(call.caller.account_id, call.path("reconciliation_id"))
    first = await works.results(found.number, after, RESULTS_AT_ONCE)
    return stream(_results(works, found.number, first), NDJSON)


async def _results(
    works: Reconciliations, of: int, page: tuple[ReconciliationResult, ...]
) -> AsyncIterator[bytes]:
    while page:
        yield b"".join(encode(_shown(each)) + b"\n" for each in page)
        page = await works.results(of, page[-1].line, RESULTS_AT_ONCE)


def _shown(result: ReconciliationResult) -> AdverseSale | RejectedSale:
    if result.error is not None:
        return RejectedSale(line=result.line, error=msgspec.convert(result.error, Rejected))
    assert result.sold_at is not None, "a sale that was judged has an instant"
    fields = msgspec.structs.asdict(result) | {"sold_at": instant_text(result.sold_at)}
    del fields["error"]
    return msgspec.convert(fields, AdverseSale)


def _view(found: Reconciliation) -> ReconciliationView:
    return ReconciliationView(
        id=found.id,
        status=found.status,
        reason=found.reason,
        created_at=instant_text(found.created_at),
        ended_at=None if found.ended_at is None else instant_text(found.ended_at),
        lines=found.lines,
        adverse=found.adverse,
        rejected=found.rejected,
        results=f"{ADDRESS}/{found.id}/results",
    )


def _is_preferred(request: Request[Any, Any, Any]) -> bool:
    """Return whether the caller prefers not to wait (RFC 7240)."""
    preferences = request.headers.get("prefer", "").split(",")
    return any(each.strip().lower() == "respond-async" for each in preferences)
