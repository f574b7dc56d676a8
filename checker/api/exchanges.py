"""Every address of the API: what goes in and what comes out, as the OpenAPI document tells it.

A test holds the table against the routes, another against who may call what.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from checker.api.checks import BatchAnswer, BatchOfChecks, BatchOfSubjects
from checker.api.health import Health, Readiness
from checker.api.list import ListView
from checker.api.measures import Measures
from checker.api.problems import ProblemKind
from checker.api.quarantine import PAGE_LINES, PAGE_LINES_MAX, LineAsSent, Quarantine, Retry
from checker.api.spending import Authorize, Capture, Increment, Refund, Void
from checker.checks.answer import Answer
from checker.checks.request import Check
from checker.registry.listing_format import ListingLine
from checker.registry.operation_format import (
    BindLine,
    DelistLine,
    FulfilLine,
    ListLine,
    OfficersLine,
    PermitLine,
    RetainLine,
    ShieldLine,
    UnshieldLine,
    WithdrawPermitLine,
)
from checker.registry.report import FeedReport
from checker.spending.answers import AuthorizationView, Uncapped

JSON = "application/json"
NDJSON = "application/x-ndjson"
OperationLine = (
    ListLine
    | DelistLine
    | ShieldLine
    | UnshieldLine
    | FulfilLine
    | OfficersLine
    | BindLine
    | PermitLine
    | WithdrawPermitLine
    | RetainLine
)
_FLAG = {"type": "boolean", "default": False}


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in and comes out at one address. Without a key where `keyed` is false.

    `created` is what is answered 201, if anything; `idempotent` where a request must have an
    idempotency key; without `needs_body` the body may be left out.
    """

    summary: str
    answer: Any
    other_answer: Any = None
    created: Any = None
    body: Any = None
    example: Any = None
    other_body: Any = None
    body_media_type: str = JSON
    answer_media_type: str = JSON
    parameters: Mapping[str, Any] = {}
    problems: tuple[int, ...] = ()
    keyed: bool = True
    idempotent: bool = False
    needs_body: bool = True


_EXAMPLE = {
    "subject": {
        "document": {"type": "resident_id", "number": "440882189001011230"},
        "name": "陈示例",
    },
    "service": {"type": "rail", "train": "G79", "seat": "second"},
    "jurisdiction": "440882",
    "reference": "ORDER-1",
}

_SALE = {
    "subject": _EXAMPLE["subject"],
    "service": {"type": "resort", "venue": "rated_resort", "amount_fen": 50_000},
    "reference": "STAY-1",
    "hold_seconds": 86_400,
}
_AUTHORIZATION = "/v1/spending/authorizations/{authorization_id}"
_MOVE_PROBLEMS = (400, 401, 403, 404, 409, 413, 422, 503)

EXCHANGES: Mapping[tuple[str, str], Exchange] = {
    ("/v1/checks", "post"): Exchange(
        summary="Ask whether a subject may buy a service",
        body=Check,
        example=_EXAMPLE,
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
    ("/v1/spending/authorizations", "post"): Exchange(
        summary="Hold an amount of a capped subject's room",
        body=Authorize,
        example=_SALE,
        created=AuthorizationView,
        answer=Uncapped,
        problems=(400, 401, 403, 409, 413, 422, 429, 503),
        idempotent=True,
    ),
    (_AUTHORIZATION, "get"): Exchange(
        summary="How an authorization stands",
        answer=AuthorizationView,
        problems=(400, 401, 403, 404, 503),
    ),
    (f"{_AUTHORIZATION}/increment", "post"): Exchange(
        summary="Hold more, because a stay grows",
        body=Increment,
        answer=AuthorizationView,
        other_answer=Uncapped,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    (f"{_AUTHORIZATION}/capture", "post"): Exchange(
        summary="Use a hold, once; the rest is released",
        body=Capture,
        answer=AuthorizationView,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    (f"{_AUTHORIZATION}/void", "post"): Exchange(
        summary="Drop a hold",
        body=Void,
        needs_body=False,
        answer=AuthorizationView,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    (f"{_AUTHORIZATION}/refund", "post"): Exchange(
        summary="Give back of what was captured",
        body=Refund,
        answer=AuthorizationView,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    ("/v1/measures", "get"): Exchange(
        summary="All measures in force, with their sources", answer=Measures, problems=(401, 503)
    ),
    ("/v1/list", "get"): Exchange(
        summary="The state of the list", answer=ListView, problems=(401, 403, 503)
    ),
    ("/v1/feed/snapshot", "put"): Exchange(
        summary="Replace the whole list in one step",
        body=ListingLine,
        body_media_type=NDJSON,
        answer=FeedReport,
        parameters={
            "format": {"type": "string", "enum": ["listing", "zxgk"], "default": "listing"},
            "allow_empty": _FLAG,
            "allow_shrink": _FLAG,
        },
        problems=(400, 401, 403, 409, 503),
    ),
    ("/v1/feed/changes", "post"): Exchange(
        summary="Change the list, operation by operation",
        body=OperationLine,
        body_media_type=NDJSON,
        example={"op": "delist", "listing_id": "707091354", "ground": "fulfilled"},
        answer=FeedReport,
        parameters={"strict": _FLAG},
        problems=(400, 401, 403, 413, 503),
    ),
    ("/v1/feed/quarantine", "get"): Exchange(
        summary="The lines of the feed that could not stand, and why",
        answer=Quarantine,
        parameters={
            "after": {"type": "integer", "minimum": 0, "default": 0},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": PAGE_LINES_MAX,
                "default": PAGE_LINES,
            },
        },
        problems=(400, 401, 403, 503),
    ),
    ("/v1/feed/quarantine/{line_id}", "get"): Exchange(
        summary="One of these lines; for a court with what stands in it",
        answer=LineAsSent,
        problems=(400, 401, 403, 404, 503),
    ),
    ("/v1/feed/quarantine/retry", "post"): Exchange(
        summary="Read lines in quarantine again",
        body=Retry,
        answer=FeedReport,
        problems=(400, 401, 403, 404, 413, 503),
    ),
    ("/healthz", "get"): Exchange(summary="Whether the process lives", answer=Health, keyed=False),
    ("/readyz", "get"): Exchange(
        summary="Whether checks can be answered", answer=Readiness, problems=(503,), keyed=False
    ),
    ("/metrics", "get"): Exchange(
        summary="Counts in Prometheus's text format",
        answer=str,
        answer_media_type="text/plain",
        keyed=False,
    ),
    ("/problems/{code}", "get"): Exchange(
        summary="What a problem means and what to do about it",
        answer=ProblemKind,
        problems=(404,),
        keyed=False,
    ),
}
