"""`POST /v1/checks` and `POST /v1/checks/batch`.

`ChecksResource` and `BatchesResource` answer them, in the fast lane and here. The declarations
below give them their place in the router and in the OpenAPI document.
"""

from typing import Any, Final

from checker.accounts.keys import Action
from checker.api.answering import CheckHead, ChecksResource
from checker.api.answering_batches import (
    BatchAnswer,
    BatchesResource,
    BatchOfChecks,
    BatchOfSubjects,
)
from checker.api.batch_turns import declared_length
from checker.api.call import Call
from checker.api.caller_address import caller_address
from checker.api.endpoint import endpoint
from checker.api.exchange import BATCH_BYTES_MAX, CHECK_BYTES_MAX, Reply
from checker.api.operation import RequestBody, Success, Tag
from checker.checks.answer import Answer
from checker.checks.request import Check
from checker.errors import InvalidSubject, QuotaExceeded

CHECKS: Final = Tag(name="checks", description="May this subject buy this service?")
CHECK_EXAMPLE: Final[dict[str, Any]] = {
    "subject": {
        "document": {"type": "resident_id", "number": "440882189001011230"},
        "name": "陈示例",
    },
    "service": {"type": "rail", "train": "G79", "seat": "second"},
    "jurisdiction": "440882",
    "reference": "ORDER-1",
}
_DECISION: Final[dict[str, Any]] = {
    "id": "019aafb2-7c5e-7b7e-8a55-0c6b7d1f2a90",
    "decision": "deny",
    "reasons": [
        {
            "code": "restricted",
            "measure": "cn-2016-64/2.7.1",
            "role": "debtor",
            "listing": {
                "id": "707091354",
                "case_number": "（2016）粤0882执123号",
                "court": "雷州市人民法院",
                "published_on": "2016-07-07",
                "kind": "dishonest",
            },
            "remedy": {
                "court": "雷州市人民法院",
                "apply_within_days": 10,
                "review_within_days": 3,
            },
        }
    ],
    "reference": "ORDER-1",
    "alternatives": [{"type": "rail", "train": "D79", "seat": "second"}],
}
_LIST: Final = {
    "version": 42,
    "history": "3f0e8a52c3b14d6f9b8d7a1c5e2f4a60",
    "as_of": "2026-11-23T01:02:03.456Z",
    "stale": False,
}


@endpoint(
    "POST",
    "/v1/checks",
    may=(Action.CHECK,),
    tag=CHECKS,
    body=RequestBody(kinds=(Check,), bytes_max=CHECK_BYTES_MAX, example=CHECK_EXAMPLE),
    answers=(
        Success(
            kinds=(Answer,),
            example=_DECISION | {"permit": None, "spending": None, "list": _LIST, "receipt": None},
        ),
    ),
    raises=(InvalidSubject, QuotaExceeded),
    guards_itself=True,
)
async def create_check(call: Call) -> Reply:
    """Check whether a subject may buy a service.

    The decision is `allow`, `cap`, `review` or `deny`. A plain `allow` leaves no trace of the
    subject. If the list cannot be vouched for, the answer is 503 and never `allow`.
    """
    resource: ChecksResource = call.request.app.state.checks
    return await resource.create(_head(call), call.request.receive)


@endpoint(
    "POST",
    "/v1/checks/batch",
    may=(Action.CHECK,),
    tag=CHECKS,
    body=RequestBody(
        kinds=(BatchOfChecks, BatchOfSubjects),
        bytes_max=BATCH_BYTES_MAX,
        example={
            "service": CHECK_EXAMPLE["service"],
            "jurisdiction": CHECK_EXAMPLE["jurisdiction"],
            "subjects": [CHECK_EXAMPLE["subject"]],
        },
    ),
    answers=(Success(kinds=(BatchAnswer,), example={"list": _LIST, "results": [_DECISION]}),),
    raises=(QuotaExceeded,),
    guards_itself=True,
)
async def create_batch(call: Call) -> Reply:
    """Check up to 10 000 subjects at once.

    All items are answered from one version of the list, in their order. An item at fault is
    answered by an error in its place. Every item counts against the quota.
    """
    request = call.request
    resource: BatchesResource = request.app.state.batches
    length = declared_length(request.headers.get("content-length"))
    async with resource.created_batch(_head(call), request.receive, body_bytes=length) as reply:
        return reply


def _head(call: Call) -> CheckHead:
    headers, scope = call.request.headers, call.request.scope
    return CheckHead(
        authorization=headers.get("authorization"),
        address=caller_address(scope),
        content_type=headers.get("content-type"),
        query=scope["query_string"],
    )
