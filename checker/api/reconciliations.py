"""Reconciliations: a file of past sales comes in, and what the list would have refused is told.

The file is dealt with as it comes and kept nowhere. What is kept, for a month, are the adverse
sales by their line and the lines that could not be read.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.exchange import Reply, encode
from checker.api.parameters import number, refuse_unknown
from checker.api.responses import respond, respond_json
from checker.api.transfer import Transfer
from checker.domain.clock import instant_text
from checker.domain.decision import Outcome, Reason
from checker.domain.service import ServiceType
from checker.formats.lines import cut_lines
from checker.node.runtime import Runtime
from checker.reconciliation.batches import in_batches, unless_idle
from checker.reconciliation.job import (
    Interruption,
    Reconciliation,
    ReconciliationResult,
    ReconciliationStatus,
)
from checker.reconciliation.past_sale import LINE_BYTES_MAX, Rejected, SalesFormat, SalesReader
from checker.reconciliation.reconciliations import Reconciliations

RECONCILIATIONS = "/v1/reconciliations"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
PAGE = 100
PAGE_MAX = 1_000
RESULTS_AT_ONCE = 1_000
"""Results in one reading; a stream of any length holds no more."""
_NUMBER_MAX = 10**18 - 1
_CUT_OFF = "the body was cut off; GET /v1/reconciliations tells how many lines were dealt with"


class ReconciliationView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file came. `lines` is the number of the last line that was dealt with.

    `adverse` sales would not simply have been allowed, `rejected` lines could not be judged; both
    are in `results`, an address. `reason` says why it is `interrupted`: send the rest anew.
    """

    id: str
    status: ReconciliationStatus
    reason: Interruption | None
    created_at: str
    ended_at: str | None
    lines: int
    adverse: int
    rejected: int
    results: str


class ReconciliationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of an account's, oldest first; `next` goes into `after`, null: there are no more."""

    reconciliations: tuple[ReconciliationView, ...]
    next: int | None


class AdverseSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that would not simply have been allowed by the list of `list_version`, and why."""

    line: int
    reference: str | None
    sold_at: str
    service: ServiceType
    jurisdiction: str
    decision: Outcome
    reasons: tuple[Reason, ...]
    list_version: int


class RejectedSale(msgspec.Struct, frozen=True, kw_only=True):
    """A line that could not be judged, and why."""

    line: int
    error: Rejected


@post(RECONCILIATIONS, status_code=201)
async def create_reconciliation(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Deal with the lines of the body; with `Prefer: respond-async` answer when they are in."""
    caller = await require(request, Action.RECONCILE)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    works = runtime.reconciliations
    reader = SalesReader(_format(request), caller, runtime.clock.now(), runtime.sealer.tokens_of)
    transfer = Transfer(request, if_cut=_CUT_OFF)
    lines = cut_lines(unless_idle(transfer.chunks()), line_bytes_max=LINE_BYTES_MAX)
    await reader.open(lines)
    opened = await works.open(caller)
    headers = {"location": f"{RECONCILIATIONS}/{opened.id}"}
    if _is_preferred(request):
        await works.take_in(opened, caller, reader, in_batches(lines))
        found = await works.find(caller.account_id, opened.id)
        headers["preference-applied"] = "respond-async"
        reply = Reply(status=202, body=encode(_view(found)), headers=headers)
    else:
        done = await works.work(opened, caller, reader, in_batches(lines))
        reply = Reply(status=201, body=encode(_view(done)), headers=headers)
    request.state.allowance = await runtime.quotas.take(caller, 0)
    return respond(reply)


@get(RECONCILIATIONS)
async def list_reconciliations(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell which the account has: also the one whose answer was lost."""
    caller = await require(request, Action.RECONCILE)
    refuse_unknown(request, ("after", "limit"))
    after = number(request, "after", default=0, low=0, high=_NUMBER_MAX)
    limit = number(request, "limit", default=PAGE, low=1, high=PAGE_MAX)
    runtime: Runtime = request.app.state.runtime
    # One more than is shown tells whether there are more.
    found = await runtime.reconciliations.page(caller.account_id, after, limit + 1)
    following = found[limit - 1].number if len(found) > limit else None
    shown = tuple(_view(each) for each in found[:limit])
    return respond_json(ReconciliationsPage(reconciliations=shown, next=following))


@get(f"{RECONCILIATIONS}/{{reconciliation_id:str}}")
async def show_reconciliation(
    request: Request[Any, Any, Any], reconciliation_id: FromPath[str]
) -> Response[bytes]:
    """Tell how far one came."""
    caller = await require(request, Action.RECONCILE)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    found = await runtime.reconciliations.find(caller.account_id, reconciliation_id)
    return respond_json(_view(found))


@get(f"{RECONCILIATIONS}/{{reconciliation_id:str}}/results")
async def stream_results(
    request: Request[Any, Any, Any], reconciliation_id: FromPath[str]
) -> Stream:
    """Give what was adverse or could not be read, a line each, as far as it was dealt with."""
    caller = await require(request, Action.RECONCILE)
    refuse_unknown(request, ("after",))
    after = number(request, "after", default=0, low=0, high=_NUMBER_MAX)
    runtime: Runtime = request.app.state.runtime
    works = runtime.reconciliations
    found = await works.find(caller.account_id, reconciliation_id)
    first = await works.results(found.number, after, RESULTS_AT_ONCE)
    return Stream(_results(works, found.number, first), media_type=NDJSON)


async def _results(
    works: Reconciliations, of: int, page: tuple[ReconciliationResult, ...]
) -> AsyncIterator[bytes]:
    while page:
        yield b"".join(encode(_told(each)) + b"\n" for each in page)
        page = await works.results(of, page[-1].line, RESULTS_AT_ONCE)


def _told(result: ReconciliationResult) -> AdverseSale | RejectedSale:
    if result.error is not None:
        return RejectedSale(line=result.line, error=msgspec.convert(result.error, Rejected))
    assert result.sold_at is not None, "whatever was judged has an instant"
    told = msgspec.structs.asdict(result) | {"sold_at": instant_text(result.sold_at)}
    del told["error"]
    return msgspec.convert(told, AdverseSale)


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
        results=f"{RECONCILIATIONS}/{found.id}/results",
    )


def _format(request: Request[Any, Any, Any]) -> SalesFormat:
    """Lines are NDJSON unless the header says that they are CSV."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return SalesFormat.CSV if media_type == CSV else SalesFormat.NDJSON


def _is_preferred(request: Request[Any, Any, Any]) -> bool:
    """Whether the caller would rather not wait (RFC 7240)."""
    preferences = request.headers.get("prefer", "").split(",")
    return any(each.strip().lower() == "respond-async" for each in preferences)
