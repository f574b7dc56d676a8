"""Turns errors into answers: `application/problem+json` (RFC 9457).

The table has a row for each class of error, and a test proves this. An error that is no
`CheckerError` is a bug: the answer is 500 and repeats nothing of the error's text.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

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
    UnsupportedMediaType,
)
from checker.spending.errors import CapExceeded

MEDIA_TYPE = "application/problem+json"
CODE_INTERNAL = "internal"


class ProblemKind(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that all problems of one code share; `advice` says what to do about them."""

    code: str
    status: int
    title: str
    advice: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as the caller receives it; `errors` names the fields at fault.

    `spending` is the room under the cap, if a cap refuses. `resolution` is the earlier end of the
    thing, if this end refuses. `outage` is the reason why the registry cannot serve, if known.
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
        status=HTTPStatus.BAD_REQUEST.value,
        title="The request is not as it must be",
        advice="Mend the fields that `errors` names and send it again.",
    ),
    InvalidSubject: ProblemKind(
        code="invalid-document",
        status=HTTPStatus.UNPROCESSABLE_ENTITY.value,
        title="The document's number cannot be right",
        advice="Look at the document again; a number that can be on no list is never cleared.",
    ),
    Unauthenticated: ProblemKind(
        code="unauthenticated",
        status=HTTPStatus.UNAUTHORIZED.value,
        title="No valid key",
        advice="Send `Authorization: Bearer <key>` with a key that your operator gave you.",
    ),
    OutOfScope: ProblemKind(
        code="out-of-scope",
        status=HTTPStatus.FORBIDDEN.value,
        title="The key may not do this",
        advice="Use a key with this role and scope, or ask your operator for one.",
    ),
    NotFound: ProblemKind(
        code="not-found",
        status=HTTPStatus.NOT_FOUND.value,
        title="There is no such thing",
        advice="Look at the address; /docs lists them all.",
    ),
    Conflict: ProblemKind(
        code="conflict",
        status=HTTPStatus.CONFLICT.value,
        title="The state of the thing forbids it",
        advice="Read the thing again before the next step.",
    ),
    CapExceeded: ProblemKind(
        code="cap-exceeded",
        status=HTTPStatus.CONFLICT.value,
        title="The cap does not hold so much more",
        advice="Sell for at most `spending.remaining_fen`, or after `spending.resets_at`.",
    ),
    IdempotencyKeyReused: ProblemKind(
        code="idempotency-key-reused",
        status=HTTPStatus.UNPROCESSABLE_ENTITY.value,
        title="The key belongs to another request",
        advice="Send a new request under a new key, and a request again under its own.",
    ),
    TooLarge: ProblemKind(
        code="too-large",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value,
        title="The request passes a limit",
        advice="Send it in smaller parts.",
    ),
    UnsupportedMediaType: ProblemKind(
        code="unsupported-media-type",
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE.value,
        title="The body is of a type that is not read here",
        advice="Send JSON with `Content-Type: application/json`, or a type that `detail` names.",
    ),
    BodyStalled: ProblemKind(
        code="body-stalled",
        status=HTTPStatus.REQUEST_TIMEOUT.value,
        title="The body stopped on its way",
        advice="Send the request again, with its whole body.",
    ),
    Crowded: ProblemKind(
        code="crowded",
        status=HTTPStatus.SERVICE_UNAVAILABLE.value,
        title="Too many callers without a key are waiting",
        advice="Send the request again, as `Retry-After` says.",
    ),
    QuotaExceeded: ProblemKind(
        code="quota-exceeded",
        status=HTTPStatus.TOO_MANY_REQUESTS.value,
        title="The quota is used up",
        advice="Wait as long as `Retry-After` says.",
    ),
    Unavailable: ProblemKind(
        code="unavailable",
        status=HTTPStatus.SERVICE_UNAVAILABLE.value,
        title="The list cannot be vouched for now",
        advice="Nothing is allowed meanwhile: ask again as `Retry-After` says.",
    ),
}

PRECONDITION_STATUS: Final = HTTPStatus.PRECONDITION_FAILED.value
"""The status of a Conflict with the `If-Match` of the request."""

HEADERS: Final[Mapping[type[CheckerError], tuple[str, ...]]] = {
    Unauthenticated: ("WWW-Authenticate",),
    Crowded: ("Retry-After",),
    QuotaExceeded: ("Retry-After",),
    Unavailable: ("Retry-After",),
}
"""The headers by which an answer says what to do next; `headers_of` gives their values."""

# Answers of the HTTP layer itself; no error of ours causes them.
METHOD_NOT_ALLOWED = ProblemKind(
    code="method-not-allowed",
    status=HTTPStatus.METHOD_NOT_ALLOWED.value,
    title="The address does not take this method",
    advice="See /docs for the methods of each address.",
)
INTERNAL = ProblemKind(
    code=CODE_INTERNAL,
    status=HTTPStatus.INTERNAL_SERVER_ERROR.value,
    title="A fault of the service",
    advice="Nothing was allowed. Tell your operator the time of the request.",
)
ALL_KINDS = (*KINDS.values(), METHOD_NOT_ALLOWED, INTERNAL)


def kind_of(error: type[CheckerError]) -> ProblemKind:
    """Return the row of a class of error, or of its nearest base class that has one."""
    return next(KINDS[base] for base in error.__mro__ if base in KINDS)


def problem_of(error: BaseException) -> Problem:
    """Return the problem that answers an error."""
    if not isinstance(error, CheckerError):
        return describe(INTERNAL, "this is a bug; the service has noted it")
    problem = describe(kind_of(type(error)), str(error))
    match error:
        case InvalidRequest():
            return msgspec.structs.replace(problem, errors=error.faults)
        case CapExceeded():
            return msgspec.structs.replace(problem, spending=error.spending)
        case Conflict():
            status = PRECONDITION_STATUS if error.is_precondition else problem.status
            return msgspec.structs.replace(problem, status=status, resolution=error.resolution)
        case Unavailable():
            return msgspec.structs.replace(problem, outage=error.outage)
        case _:
            return problem


def describe(kind: ProblemKind, detail: str) -> Problem:
    """Return a problem of this kind."""
    return Problem(
        type=f"/problems/{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=kind.code,
    )


def headers_of(error: BaseException) -> dict[str, str]:
    """Return the headers that belong to the answer to an error."""
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
