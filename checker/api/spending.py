"""Spending under a cap (contract, section 4): hold, hold more, capture, void, refund, show."""

from collections.abc import Awaitable
from typing import Final

import msgspec

from checker.accounts.keys import Action, Caller
from checker.api.call import Call
from checker.api.checks import CHECK_EXAMPLE
from checker.api.endpoint import endpoint
from checker.api.exchange import CHECK_BYTES_MAX, Reply, json_reply
from checker.api.feed_terms import KEY_HEADER, KEY_LENGTH_MAX, read_key
from checker.api.metrics import Metrics, OrderKind
from checker.api.operation import RequestBody, Success, Tag
from checker.api.problems import problem_of
from checker.checks.request import Place, Reference, Subject, prepare
from checker.domain.clock import shanghai_day
from checker.domain.service import Resort
from checker.errors import (
    CheckerError,
    Conflict,
    Fault,
    IdempotencyKeyReused,
    InvalidRequest,
    InvalidSubject,
    NotFound,
    QuotaExceeded,
)
from checker.node.runtime import Runtime
from checker.registry.prepared_check import PreparedCheck
from checker.spending.answers import AuthorizationView, Uncapped
from checker.spending.errors import CapExceeded
from checker.spending.orders import HOLD_SECONDS, Amount, HoldSeconds

SPENDING: Final = Tag(
    name="spending",
    description="Amounts held under a cap. Each request needs an `Idempotency-Key`.",
)
_AUTHORIZATIONS: Final = "/v1/spending/authorizations"
_AUTHORIZATION: Final = f"{_AUTHORIZATIONS}/{{authorization_id}}"
_HELD: Final = {
    "id": "019aafb2-7c5e-7b7e-8a55-0c6b7d1f2a90",
    "status": "held",
    "amount_fen": 50_000,
    "captured_fen": 0,
    "refunded_fen": 0,
    "expires_at": "2026-11-24T01:02:03.456Z",
    "reference": "STAY-1",
    "decision_id": "019aafb2-7c5e-7b7e-8a55-0c6b7d1f2a8f",
}
_ROOM: Final = {
    "limit_fen": 200_000,
    "held_fen": 50_000,
    "captured_fen": 0,
    "remaining_fen": 150_000,
    "period": "month",
    "resets_at": "2026-11-30T16:00:00.000Z",
}
_CAPTURED: Final = _HELD | {"status": "captured", "captured_fen": 50_000}


class AuthorizeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold `service.amount_fen`, at least 1, of the subject's cap for `hold_seconds`."""

    subject: Subject
    service: Resort
    jurisdiction: Place | None = None
    reference: Reference | None = None
    hold_seconds: HoldSeconds = HOLD_SECONDS


class CaptureRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Use this amount of a hold; the rest is released."""

    amount_fen: Amount


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give back this amount of what was captured."""

    amount_fen: Amount


class IncrementRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold this amount more. `hold_seconds` counts from now, and only ever prolongs the hold."""

    amount_fen: Amount
    hold_seconds: HoldSeconds | None = None


class VoidRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drop a hold. The object is empty, and the body may be left out."""


_WITH_TYPE: Final = msgspec.defstruct("WithType", [("type", str)])
_OUTLINE: Final = msgspec.defstruct("Outline", [("service", _WITH_TYPE)])
"""A hold whose service has a `type`: msgspec asks for the tag of a struct in a union alone."""

_ID: Final = "authorization_id"
_AMOUNT: Final = {"amount_fen": 50_000}
_Answered = AuthorizationView | Uncapped
_MOVE: Final = (NotFound, Conflict, IdempotencyKeyReused)


@endpoint(
    "POST",
    _AUTHORIZATIONS,
    may=(Action.SPEND,),
    tag=SPENDING,
    body=RequestBody(
        kinds=(AuthorizeRequest,),
        bytes_max=CHECK_BYTES_MAX,
        example={
            "subject": CHECK_EXAMPLE["subject"],
            "service": {"type": "resort", "venue": "rated_resort", "amount_fen": 50_000},
            "reference": "STAY-1",
            "hold_seconds": 86_400,
        },
    ),
    answers=(
        Success(
            status=201,
            kinds=(AuthorizationView,),
            example=_HELD | {"spending": _ROOM},
            description="The amount is held",
            headers={"Location": "The address of the authorization"},
        ),
        Success(
            kinds=(Uncapped,),
            example={"id": None, "status": "uncapped"},
            description="No cap is known",
        ),
    ),
    raises=(CapExceeded, Conflict, InvalidSubject, IdempotencyKeyReused, QuotaExceeded),
    is_idempotent=True,
)
async def create_authorization(call: Call) -> Reply:
    """Hold an amount, if a cap binds the subject.

    The hold ends by itself at `expires_at`. Nothing is kept about a subject without a cap.
    """
    asked = await call.body(AuthorizeRequest, outline=_OUTLINE)
    check = prepared_sale(asked, call.caller, call.runtime)
    key = _key(call)
    await call.spend(1)
    ordered = call.runtime.spending.authorize(
        call.caller.account_id, key, check, asked.hold_seconds
    )
    answer = await counted(call.metrics, OrderKind.AUTHORIZE, ordered)
    if isinstance(answer, Uncapped):
        return json_reply(answer)
    headers = {"location": f"{_AUTHORIZATIONS}/{answer.id}"}
    return json_reply(answer, status=201, headers=headers)


@endpoint(
    "POST",
    f"{_AUTHORIZATION}/increment",
    may=(Action.SPEND,),
    tag=SPENDING,
    body=RequestBody(
        kinds=(IncrementRequest,), bytes_max=CHECK_BYTES_MAX, example={"amount_fen": 20_000}
    ),
    answers=(
        Success(
            kinds=(AuthorizationView, Uncapped),
            example=_HELD | {"amount_fen": 70_000, "spending": _ROOM},
        ),
    ),
    raises=(*_MOVE, CapExceeded),
    is_idempotent=True,
)
async def increment_authorization(call: Call) -> Reply:
    """Hold more, for example because a stay is prolonged.

    The answer is `uncapped` if no cap binds the person any more; the hold is then as it was.
    """
    key, asked = _key(call), await call.body(IncrementRequest)
    ordered = call.runtime.spending.increment(
        call.caller.account_id, key, call.path(_ID), asked.amount_fen, asked.hold_seconds
    )
    return json_reply(await counted(call.metrics, OrderKind.INCREMENT, ordered))


@endpoint(
    "POST",
    f"{_AUTHORIZATION}/capture",
    may=(Action.SPEND,),
    tag=SPENDING,
    body=RequestBody(kinds=(CaptureRequest,), bytes_max=CHECK_BYTES_MAX, example=_AMOUNT),
    answers=(Success(kinds=(AuthorizationView,), example=_CAPTURED),),
    raises=_MOVE,
    is_idempotent=True,
)
async def capture_authorization(call: Call) -> Reply:
    """Use a hold, once.

    The amount is at most the amount held; the rest is released.
    """
    key, asked = _key(call), await call.body(CaptureRequest)
    ordered = call.runtime.spending.capture(
        call.caller.account_id, key, call.path(_ID), asked.amount_fen
    )
    return json_reply(await counted(call.metrics, OrderKind.CAPTURE, ordered))


@endpoint(
    "POST",
    f"{_AUTHORIZATION}/void",
    may=(Action.SPEND,),
    tag=SPENDING,
    body=RequestBody(kinds=(VoidRequest,), bytes_max=CHECK_BYTES_MAX, example={}, required=False),
    answers=(Success(kinds=(AuthorizationView,), example=_HELD | {"status": "voided"}),),
    raises=_MOVE,
    is_idempotent=True,
)
async def void_authorization(call: Call) -> Reply:
    """Drop a hold.

    The whole amount is released.
    """
    key = _key(call)
    await call.body(VoidRequest)
    ordered = call.runtime.spending.void(call.caller.account_id, key, call.path(_ID))
    return json_reply(await counted(call.metrics, OrderKind.VOID, ordered))


@endpoint(
    "POST",
    f"{_AUTHORIZATION}/refund",
    may=(Action.SPEND,),
    tag=SPENDING,
    body=RequestBody(kinds=(RefundRequest,), bytes_max=CHECK_BYTES_MAX, example=_AMOUNT),
    answers=(
        Success(
            kinds=(AuthorizationView,),
            example=_CAPTURED | {"status": "refunded", "refunded_fen": 50_000},
        ),
    ),
    raises=_MOVE,
    is_idempotent=True,
)
async def refund_authorization(call: Call) -> Reply:
    """Give back a part of the captured amount, or all of it.

    The person has the room again. Several refunds are possible, up to the captured amount.
    """
    key, asked = _key(call), await call.body(RefundRequest)
    ordered = call.runtime.spending.refund(
        call.caller.account_id, key, call.path(_ID), asked.amount_fen
    )
    return json_reply(await counted(call.metrics, OrderKind.REFUND, ordered))


@endpoint(
    "GET",
    _AUTHORIZATION,
    may=(Action.SPEND,),
    tag=SPENDING,
    answers=(Success(kinds=(AuthorizationView,), example=_HELD),),
    raises=(NotFound,),
)
async def show_authorization(call: Call) -> Reply:
    """Show the state of an authorization.

    A hold that nobody captured in time has the status `expired`.
    """
    return json_reply(await call.runtime.spending.find(call.caller.account_id, call.path(_ID)))


async def counted(metrics: Metrics, order: OrderKind, ordered: Awaitable[_Answered]) -> _Answered:
    """Return the answer to an order, and count the answer or the refusal."""
    try:
        answer = await ordered
    except CheckerError as refusal:
        metrics.ordered(order, problem_of(refusal).code)
        raise
    metrics.ordered(order, answer.status)
    return answer


def _key(call: Call) -> str:
    """Return the idempotency key, which every order needs. Raises InvalidRequest."""
    key = read_key(call.request)
    if key is not None:
        return key
    fault = Fault("", f"send {KEY_HEADER}: 1 to {KEY_LENGTH_MAX} printable characters")
    raise InvalidRequest(f"the header {KEY_HEADER} is missing", [fault])


def prepared_sale(asked: AuthorizeRequest, caller: Caller, runtime: Runtime) -> PreparedCheck:
    """Return the check of a sale that holds at least 1 fen.

    Raises InvalidRequest, InvalidSubject, OutOfScope.
    """
    if asked.service.amount_fen == 0:
        fault = Fault("/service/amount_fen", "is at least 1: nothing is not held")
        raise InvalidRequest("a field is not as it must be", [fault])
    return prepare(asked, caller, shanghai_day(runtime.clock.now()), runtime.sealer.document_token)
