"""Kept decisions: their outcomes, their explanations, the log, and the figures of a month."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

import msgspec
from litestar.response import Stream

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.operation import NDJSON, RequestBody, Success, Tag
from checker.api.parameters import instant, month, printable, word, words_of
from checker.api.responses import stream
from checker.audit.explanation import Explanation
from checker.audit.export import ExportedDecision, ExportedRange, ExportFormat, export
from checker.audit.monthly_report import MonthlyReport, monthly_report
from checker.audit.outcomes import Report, ReportedOutcome
from checker.domain.clock import InstantText, instant_text, shanghai_day
from checker.errors import Conflict, NotFound
from checker.node.runtime import Runtime

DECISIONS: Final = Tag(name="decisions", description="Kept decisions, their outcomes and reports.")
OUTCOME_BYTES_MAX: Final = 16 * 1024
NOTE_LENGTH_MAX: Final = 1_000

_CSV: Final = "text/csv; charset=utf-8"
_FILE_NAMES: Final = {ExportFormat.NDJSON: "decisions.ndjson", ExportFormat.CSV: "decisions.csv"}
_MEDIA_TYPES: Final = {ExportFormat.NDJSON: NDJSON, ExportFormat.CSV: _CSV}
_FROM: Final = instant("from", "From this instant or day on; a day begins in Asia/Shanghai")
_TO: Final = instant("to", "Before this instant or day")
_ACCOUNT: Final = printable("account", "The id of an account", "is an account's id")
_FORMAT: Final = word(
    "format", "How each row is written", words_of(ExportFormat), default=ExportFormat.NDJSON.value
)
_MONTH: Final = month("month", "A month as YYYY-MM; absent: this month")
_ID: Final = "019aafb2-7c5e-7b7e-8a55-0c6b7d1f2a90"
_ACCOUNT_ID: Final = "ab8f1a06-5f0a-4b56-9d3c-3f6e1c0f7a11"
_AT: Final = "2026-11-23T01:02:03.456Z"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TITLE: Final = {"zh": "乘坐火车、飞机限制", "en": "Trains and flights"}
_COUNTS: Final = {
    "denied": 3,
    "reviewed": 1,
    "capped": 0,
    "permitted": 0,
    "overridden": 0,
    "outcomes_missing": 2,
    "measures": [{"measure": "cn-2016-64/2.7.1", "denied": 3, "reviewed": 1, "capped": 0}],
}
_EXPLANATION: Final = {
    "id": _ID,
    "at": _AT,
    "account_id": _ACCOUNT_ID,
    "service": "rail",
    "jurisdiction": "440882",
    "decision": "deny",
    "reasons": [
        {
            "code": "restricted",
            "measure": "cn-2016-64/2.7.1",
            "source": {"title": _TITLE, "number": "中办发〔2016〕64号"},
            "section": "二（七）1",
            "title": _TITLE,
            "authorities": ["中国铁路总公司"],
            "role": "debtor",
            "listing": None,
            "remedy": None,
            "distinguished": None,
            "text": {
                "zh": "依据二（七）1，不得乘坐。",
                "en": "Section 2.7.1 restricts this train.",
            },
        }
    ],
    "permit_id": None,
    "list": {"version": 42, "as_of": _AT},
    "policy": _DIGEST,
    "outcomes": [{"outcome": "refused", "note": None, "at": _AT}],
    "chain": {"number": 17, "digest": _DIGEST},
    "text": {"zh": "不得出售。", "en": "Do not sell."},
}
_ROW: Final = {
    "number": 17,
    "digest": _DIGEST,
    "id": _ID,
    "at": _AT,
    "account_id": _ACCOUNT_ID,
    "account": "湛江某酒店",
    "service": "rail",
    "jurisdiction": "440882",
    "decision": "deny",
    "codes": ["restricted"],
    "measures": ["cn-2016-64/2.7.1"],
    "roles": ["debtor"],
    "listings": ["707091354"],
    "permit_id": None,
    "list_version": 42,
    "policy": _DIGEST,
    "outcomes": ["refused"],
}

_Note = Annotated[str, msgspec.Meta(min_length=1, max_length=NOTE_LENGTH_MAX)]


class ReportOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The act of the institution after a decision; `note` is for a later reader."""

    outcome: ReportedOutcome
    note: _Note | None = None


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome as it is kept."""

    decision_id: str
    outcome: ReportedOutcome
    note: str | None
    at: InstantText


@endpoint(
    "POST",
    "/v1/checks/{decision_id}/outcomes",
    may=(Action.REPORT_OUTCOMES,),
    tag=DECISIONS,
    body=RequestBody(
        kinds=(ReportOutcome,), bytes_max=OUTCOME_BYTES_MAX, example={"outcome": "refused"}
    ),
    answers=(
        Success(
            status=201,
            kinds=(OutcomeView,),
            example={"decision_id": _ID, "outcome": "refused", "note": None, "at": _AT},
        ),
    ),
    raises=(NotFound, Conflict),
)
async def report_outcome(call: Call) -> Reply:
    """Report the outcome of a decision.

    Reports are appended, and an earlier report stays. A plain `allow` is not kept and has no
    outcome. If the answer used up one use of a permit, `refused` and `cancelled` give this use
    back, once.
    """
    decision_id, asked = call.path("decision_id"), await call.body(ReportOutcome)
    view = await reported(call.runtime, call.caller.account_id, decision_id, asked)
    return json_reply(view, status=201)


async def reported(
    runtime: Runtime, account_id: str, decision_id: str, asked: ReportOutcome
) -> OutcomeView:
    """Keep an outcome of a decision of the account. Raises as `Outcomes.report`."""
    report = Report(outcome=asked.outcome, note=asked.note, at=runtime.clock.now())
    kept = await runtime.audit.outcomes.report(account_id, decision_id, report)
    return OutcomeView(
        decision_id=decision_id, outcome=kept.outcome, note=kept.note, at=instant_text(kept.at)
    )


@endpoint(
    "GET",
    "/v1/decisions/{decision_id}",
    may=(Action.SEE_OWN_DECISIONS, Action.SEE_ALL_DECISIONS),
    tag=DECISIONS,
    answers=(Success(kinds=(Explanation,), example=_EXPLANATION),),
    raises=(NotFound,),
)
async def explain_decision(call: Call) -> Reply:
    """Explain a decision: its sections, listings, and the list of that time.

    An institution sees its own decisions, an auditor sees every decision.
    """
    caller = call.caller
    account_id = None if caller.may(Action.SEE_ALL_DECISIONS) else caller.account_id
    explanations = call.runtime.audit.explanations
    return json_reply(await explanations.explain(call.path("decision_id"), account_id=account_id))


@endpoint(
    "GET",
    "/v1/decisions/export",
    may=(Action.SEE_ALL_DECISIONS,),
    tag=DECISIONS,
    query=(_FROM, _TO, _ACCOUNT, _FORMAT),
    answers=(
        Success(
            kinds=(ExportedDecision,),
            example=_ROW,
            media_type=NDJSON,
            text_examples={"text/csv": ",".join(_ROW) + "\n"},
            headers={"Content-Disposition": "A name for the file"},
        ),
    ),
)
async def export_decisions(call: Call) -> Stream:
    """Export the log of decisions as NDJSON or CSV.

    Rows come in the order of the decisions' ids. The chain of digests proves that no row is missing
    or changed.
    """
    form = call.query(_FORMAT)
    wanted = ExportedRange(
        since=call.query(_FROM), until=call.query(_TO), account_id=call.query(_ACCOUNT)
    )
    rows = export(call.runtime.work_engine, wanted, form)
    # The first page is read before the answer begins, so that an outage is answered as a problem.
    first = await anext(rows, b"")
    return stream(
        _with_first(first, rows),
        _MEDIA_TYPES[form],
        {"content-disposition": f'attachment; filename="{_FILE_NAMES[form]}"'},
    )


@endpoint(
    "GET",
    "/v1/reports",
    may=(Action.SEE_REPORTS,),
    tag=DECISIONS,
    query=(_MONTH,),
    answers=(
        Success(
            kinds=(MonthlyReport,),
            example={
                "month": "2026-11-01",
                "institutions": [
                    {**_COUNTS, "account_id": _ACCOUNT_ID, "account": "湛江某酒店", "checks": 5_120}
                ],
                "authorities": [{**_COUNTS, "authority": "中国铁路总公司"}],
            },
        ),
    ),
)
async def show_report(call: Call) -> Reply:
    """Show the figures of a month, by institution and by responsible authority.

    The figures count checks, adverse decisions by measure, overridden refusals, and missing
    reports.
    """
    runtime = call.runtime
    first_day = call.query(_MONTH) or shanghai_day(runtime.clock.now()).replace(day=1)
    await runtime.audit.tallies.add()
    measures = runtime.policies.measures
    return json_reply(await monthly_report(runtime.work_engine, first_day, measures))


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for rows in rest:
        yield rows
