"""Kept decisions: what became of them, why they were made, the log, and the month in figures."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.exchange import Reply, encode, read_body
from checker.api.parameters import instant, refuse_unknown, word
from checker.api.responses import respond, respond_json
from checker.audit.export import ExportedRange, ExportFormat, export
from checker.audit.monthly_report import monthly_report
from checker.audit.outcomes import Report, ReportedOutcome
from checker.decoding import decode
from checker.domain.clock import instant_text, month_range, shanghai_day
from checker.errors import Fault, InvalidRequest
from checker.node.runtime import Runtime

OUTCOME_BYTES_MAX: Final = 16 * 1024
NOTE_LENGTH_MAX: Final = 1_000
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv; charset=utf-8"
_FILE_NAMES: Final = {ExportFormat.NDJSON: "decisions.ndjson", ExportFormat.CSV: "decisions.csv"}
_MEDIA_TYPES: Final = {ExportFormat.NDJSON: NDJSON, ExportFormat.CSV: CSV}

_Note = Annotated[str, msgspec.Meta(min_length=1, max_length=NOTE_LENGTH_MAX)]


class ReportOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the institution then did; `note` is for whoever looks into it later."""

    outcome: ReportedOutcome
    note: _Note | None = None


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome as it is kept."""

    decision_id: str
    outcome: ReportedOutcome
    note: str | None
    at: str


_outcome_decoder = msgspec.json.Decoder(ReportOutcome)


@post("/v1/checks/{decision_id:str}/outcomes", status_code=201)
async def report_outcome(
    request: Request[Any, Any, Any], decision_id: FromPath[str]
) -> Response[bytes]:
    """Append what became of a decision; a plain allow is not kept and has no outcome."""
    caller = await require(request, Action.REPORT_OUTCOMES)
    refuse_unknown(request, ())
    asked = decode(_outcome_decoder, await read_body(request.receive, OUTCOME_BYTES_MAX))
    runtime: Runtime = request.app.state.runtime
    report = Report(outcome=asked.outcome, note=asked.note, at=runtime.clock.now())
    kept = await runtime.audit.outcomes.report(caller.account_id, decision_id, report)
    view = OutcomeView(
        decision_id=decision_id, outcome=kept.outcome, note=kept.note, at=instant_text(kept.at)
    )
    return respond(Reply(status=201, body=encode(view)))


@get("/v1/decisions/{decision_id:str}")
async def explain_decision(
    request: Request[Any, Any, Any], decision_id: FromPath[str]
) -> Response[bytes]:
    """Explain a decision: an institution its own, an auditor any."""
    caller = await require(request, Action.SEE_OWN_DECISIONS, Action.SEE_ALL_DECISIONS)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    account_id = None if caller.may(Action.SEE_ALL_DECISIONS) else caller.account_id
    return respond_json(
        await runtime.audit.explanations.explain(decision_id, account_id=account_id)
    )


@get("/v1/decisions/export")
async def export_decisions(request: Request[Any, Any, Any]) -> Stream:
    """Write the log as NDJSON or CSV, by time and account, as it is read."""
    await require(request, Action.SEE_ALL_DECISIONS)
    refuse_unknown(request, ("from", "to", "account", "format"))
    form = word(request, "format", ExportFormat, default=ExportFormat.NDJSON)
    wanted = ExportedRange(
        since=instant(request, "from"),
        until=instant(request, "to"),
        account_id=_account(request),
    )
    runtime: Runtime = request.app.state.runtime
    rows = export(runtime.work_engine, wanted, form)
    # The first page before the answer begins, so that what cannot be read is told as a problem.
    first = await anext(rows, b"")
    return Stream(
        _with_first(first, rows),
        media_type=_MEDIA_TYPES[form],
        headers={"content-disposition": f'attachment; filename="{_FILE_NAMES[form]}"'},
    )


@get("/v1/reports")
async def show_report(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Count a month: checks, decisions by measure, what was overridden, what was not reported."""
    await require(request, Action.SEE_REPORTS)
    refuse_unknown(request, ("month",))
    runtime: Runtime = request.app.state.runtime
    month = _month(request, shanghai_day(runtime.clock.now()))
    await runtime.audit.tallies.add()
    return respond_json(await monthly_report(runtime.work_engine, month, runtime.policies.measures))


def _account(request: Request[Any, Any, Any]) -> str | None:
    """Read `account`; PostgreSQL has no text with what cannot be printed."""
    text = request.query_params.get("account")
    if text is not None and not text.isprintable():
        raise InvalidRequest(
            "account is no account's id", [Fault("/account", "is an account's id")]
        )
    return text


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for rows in rest:
        yield rows


def _month(request: Request[Any, Any, Any], today: date) -> date:
    """Read `month` as `YYYY-MM`; not given: the month of today."""
    text = request.query_params.get("month")
    if text is None:
        return today.replace(day=1)
    try:
        month = date.fromisoformat(f"{text}-01")
        month_range(month)
    except ValueError:
        fault = Fault("/month", "is a month as YYYY-MM")
        raise InvalidRequest("month is not a month", [fault]) from None
    return month
