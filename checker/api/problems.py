"""The one place where errors become answers: `application/problem+json` (RFC 9457).

The table below is complete: a class of error without a row does not pass the tests, and an error
that is no `CheckerError` is a bug, answered 500 without a word of what it said.
"""

from http import HTTPStatus

import msgspec

from checker.domain.decision import CapSpending
from checker.errors import (
    BodyStalled,
    CheckerError,
    Conflict,
    Crowded,
    Fault,
    IdempotencyKeyReused,
    InvalidRequest,
    InvalidSubject,
    NotFound,
    Outage,
    OutOfScope,
    QuotaExceeded,
    Resolution,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from checker.spending.errors import CapExceeded

MEDIA_TYPE = "application/problem+json"
CODE_INTERNAL = "internal"


class ProblemKind(msgspec.Struct, frozen=True, kw_only=True):
    """What all problems of one code share; `advice` tells a reader what to do."""

    code: str
    status: HTTPStatus
    title: str
    advice: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as it is answered; `errors` names the fields at fault.

    `spending` says what room there is where a cap is in the way, `resolution` what was done before
    where that is. `outage` says why the registry cannot serve, where the registry has said so.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[Fault, ...] = ()
    spending: CapSpending | None = None
    resolution: Resolution | None = None
    outage: Outage | None = None


KINDS: dict[type[CheckerError], ProblemKind] = {
    InvalidRequest: ProblemKind(
        code="invalid-request",
        status=HTTPStatus.BAD_REQUEST,
        title="The request is not as it must be",
        advice="Mend the fields that `errors` names and send it again.",
    ),
    InvalidSubject: ProblemKind(
        code="invalid-document",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        title="The document's number cannot be right",
        advice="Look at the document again; a number that can be on no list is never cleared.",
    ),
    Unauthenticated: ProblemKind(
        code="unauthenticated",
        status=HTTPStatus.UNAUTHORIZED,
        title="No valid key",
        advice="Send `Authorization: Bearer <key>` with a key that your operator gave you.",
    ),
    OutOfScope: ProblemKind(
        code="out-of-scope",
        status=HTTPStatus.FORBIDDEN,
        title="The key may not do this",
        advice="Use a key with this role and scope, or ask your operator for one.",
    ),
    NotFound: ProblemKind(
        code="not-found",
        status=HTTPStatus.NOT_FOUND,
        title="There is no such thing",
        advice="Look at the address; /docs lists them all.",
    ),
    Conflict: ProblemKind(
        code="conflict",
        status=HTTPStatus.CONFLICT,
        title="The state of the thing forbids it",
        advice="Read the thing again before the next step.",
    ),
    CapExceeded: ProblemKind(
        code="cap-exceeded",
        status=HTTPStatus.CONFLICT,
        title="The cap does not hold so much more",
        advice="Sell for at most `spending.remaining_fen`, or after `spending.resets_at`.",
    ),
    IdempotencyKeyReused: ProblemKind(
        code="idempotency-key-reused",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        title="The key belongs to another request",
        advice="Send a new request under a new key, and a request again under its own.",
    ),
    TooLarge: ProblemKind(
        code="too-large",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        title="The request passes a limit",
        advice="Send it in smaller parts.",
    ),
    BodyStalled: ProblemKind(
        code="body-stalled",
        status=HTTPStatus.REQUEST_TIMEOUT,
        title="The body stopped on its way",
        advice="Send the request again, with its whole body.",
    ),
    Crowded: ProblemKind(
        code="crowded",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        title="Too many callers without a key are waiting",
        advice="Send the request again, as `Retry-After` says.",
    ),
    QuotaExceeded: ProblemKind(
        code="quota-exceeded",
        status=HTTPStatus.TOO_MANY_REQUESTS,
        title="The quota is used up",
        advice="Wait as long as `Retry-After` says.",
    ),
    Unavailable: ProblemKind(
        code="unavailable",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        title="The list cannot be vouched for now",
        advice="Nothing is allowed meanwhile: ask again as `Retry-After` says.",
    ),
}

# Answers of the HTTP layer itself, which no error of ours stands behind.
METHOD_NOT_ALLOWED = ProblemKind(
    code="method-not-allowed",
    status=HTTPStatus.METHOD_NOT_ALLOWED,
    title="The address does not take this method",
    advice="See /docs for the methods of each address.",
)
INTERNAL = ProblemKind(
    code=CODE_INTERNAL,
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title="A fault of the service",
    advice="Nothing was allowed. Tell your operator the time of the request.",
)
ALL_KINDS = (*KINDS.values(), METHOD_NOT_ALLOWED, INTERNAL)


def problem_of(error: BaseException) -> Problem:
    """Tell an error as a problem."""
    if not isinstance(error, CheckerError):
        return describe(INTERNAL, "this is a bug; the service has noted it")
    kind = next(KINDS[base] for base in type(error).__mro__ if base in KINDS)
    problem = describe(kind, str(error))
    match error:
        case InvalidRequest():
            return msgspec.structs.replace(problem, errors=error.faults)
        case CapExceeded():
            return msgspec.structs.replace(problem, spending=error.spending)
        case Conflict():
            status = HTTPStatus.PRECONDITION_FAILED if error.is_precondition else problem.status
            return msgspec.structs.replace(problem, status=status, resolution=error.resolution)
        case Unavailable():
            return msgspec.structs.replace(problem, outage=error.outage)
        case _:
            return problem


def describe(kind: ProblemKind, detail: str) -> Problem:
    """Write a problem of a kind."""
    return Problem(
        type=f"/problems/{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=kind.code,
    )


def headers_of(error: BaseException) -> dict[str, str]:
    """Headers that go with an error's answer."""
    match error:
        case Unauthenticated():
            return {"www-authenticate": "Bearer"}
        case BodyStalled():
            return {"connection": "close"}
        case Crowded():
            return {"connection": "close", "retry-after": str(error.retry_after_s)}
        case QuotaExceeded() | Unavailable():
            return {"retry-after": str(error.retry_after_s)}
        case _:
            return {}
