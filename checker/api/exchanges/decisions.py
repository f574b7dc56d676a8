"""The addresses of kept decisions and of reports."""

from checker.api.decisions import OutcomeView, ReportOutcome
from checker.api.exchanges.exchange import NDJSON, Exchange, Exchanges
from checker.audit.explanation import Explanation
from checker.audit.export import ExportedDecision, ExportFormat
from checker.audit.monthly_report import MonthlyReport

_INSTANT = {"type": "string", "description": "an RFC 3339 instant, or a day in Asia/Shanghai"}

EXCHANGES: Exchanges = {
    ("/v1/checks/{decision_id}/outcomes", "post"): Exchange(
        summary="Report what became of a decision",
        body=ReportOutcome,
        example={"outcome": "refused"},
        created=OutcomeView,
        answer=OutcomeView,
        problems=(400, 401, 403, 404, 409, 413, 503),
    ),
    ("/v1/decisions/{decision_id}", "get"): Exchange(
        summary="Why a decision was made: sections, listings, the list of then",
        answer=Explanation,
        problems=(400, 401, 403, 404, 503),
    ),
    ("/v1/decisions/export", "get"): Exchange(
        summary="The log of decisions, as NDJSON or CSV",
        answer=ExportedDecision,
        answer_media_type=NDJSON,
        parameters={
            "from": _INSTANT,
            "to": _INSTANT,
            "account": {"type": "string"},
            "format": {"type": "string", "enum": list(ExportFormat), "default": "ndjson"},
        },
        problems=(400, 401, 403, 503),
    ),
    ("/v1/reports", "get"): Exchange(
        summary="A month by institution and by responsible authority",
        answer=MonthlyReport,
        parameters={"month": {"type": "string", "pattern": r"^\d{4}-\d{2}$"}},
        problems=(400, 401, 403, 503),
    ),
}
