"""The addresses of checks."""

from checker.api.checks import BatchAnswer, BatchOfChecks, BatchOfSubjects
from checker.api.exchanges.exchange import Exchange, Exchanges
from checker.checks.answer import Answer
from checker.checks.request import Check

CHECK_EXAMPLE = {
    "subject": {
        "document": {"type": "resident_id", "number": "440882189001011230"},
        "name": "陈示例",
    },
    "service": {"type": "rail", "train": "G79", "seat": "second"},
    "jurisdiction": "440882",
    "reference": "ORDER-1",
}

EXCHANGES: Exchanges = {
    ("/v1/checks", "post"): Exchange(
        summary="Ask whether a subject may buy a service",
        body=Check,
        example=CHECK_EXAMPLE,
        answer=Answer,
        problems=(400, 401, 403, 413, 422, 503),
    ),
    ("/v1/checks/batch", "post"): Exchange(
        summary="Ask about up to 10 000 subjects at once",
        body=BatchOfChecks,
        other_body=BatchOfSubjects,
        answer=BatchAnswer,
        problems=(400, 401, 403, 413, 503),
    ),
}
