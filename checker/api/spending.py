"""Spending under a cap (contract, section 4): hold, hold more, capture, void, refund, look."""

from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from checker.accounts.keys import Action, Caller
from checker.api.access import require
from checker.api.exchange import CHECK_BYTES_MAX, Reply, encode, read_body
from checker.api.feed_terms import KEY_HEADER, KEY_LENGTH_MAX, read_key
from checker.api.metrics import Metrics, OrderKind
from checker.api.parameters import refuse_unknown
from checker.api.problems import problem_of
from checker.api.responses import respond, respond_json
from checker.checks.request import Place, Reference, Subject, prepare
from checker.decoding import decode
from checker.domain.clock import shanghai_day
from checker.domain.service import Resort
from checker.errors import CheckerError, Fault, InvalidRequest
from checker.node.runtime import Runtime
from checker.registry.prepared_check import PreparedCheck
from checker.spending.answers import AuthorizationView, Uncapped
from checker.spending.orders import HOLD_SECONDS, Amount, HoldSeconds
from checker.spending.spending import Authorizations

_Asked = TypeVar("_Asked")
_Answered = AuthorizationView | Uncapped


class Authorize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold `service.amount_fen` of the subject's cap, for `hold_seconds`: a week unless said."""

    subject: Subject
    service: Resort
    jurisdiction: Place | None = None
    reference: Reference | None = None
    hold_seconds: HoldSeconds = HOLD_SECONDS


class Capture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Use so much of a hold; the rest is released."""

    amount_fen: Amount


class Refund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give back so much of what was captured."""

    amount_fen: Amount


class Increment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold so much more; with `hold_seconds`, from now on for so long if that is longer."""

    amount_fen: Amount
    hold_seconds: HoldSeconds | None = None


class Void(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drop a hold; there is nothing to say, and the body may be left out."""


_authorize = msgspec.json.Decoder(Authorize)
_capture = msgspec.json.Decoder(Capture)
_refund = msgspec.json.Decoder(Refund)
_increment = msgspec.json.Decoder(Increment)
_void = msgspec.json.Decoder(Void)


@post("/v1/spending/authorizations", status_code=201)
async def authorize_spending(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Hold an amount, if a cap binds the subject; otherwise keep nothing about them."""
    caller = await require(request, Action.SPEND)
    refuse_unknown(request, ())
    asked = decode(_authorize, await read_body(request.receive, CHECK_BYTES_MAX))
    runtime: Runtime = request.app.state.runtime
    check = _check(asked, caller, runtime)
    key = _key(request)
    request.state.allowance = await runtime.quotas.take(caller, 1)
    ordered = runtime.spending.authorize(caller.account_id, key, check, asked.hold_seconds)
    answer = await _counted(request, OrderKind.AUTHORIZE, ordered)
    status = 201 if isinstance(answer, AuthorizationView) else 200
    return respond(Reply(status=status, body=encode(answer)))


@post("/v1/spending/authorizations/{authorization_id:str}/increment", status_code=200)
async def increment_authorization(
    request: Request[Any, Any, Any], authorization_id: FromPath[str]
) -> Response[bytes]:
    """Hold more, because a stay grows."""
    spending, account_id, key, asked = await _move(request, _increment)
    ordered = spending.increment(
        account_id, key, authorization_id, asked.amount_fen, asked.hold_seconds
    )
    return respond_json(await _counted(request, OrderKind.INCREMENT, ordered))


@post("/v1/spending/authorizations/{authorization_id:str}/capture", status_code=200)
async def capture_authorization(
    request: Request[Any, Any, Any], authorization_id: FromPath[str]
) -> Response[bytes]:
    """Use a hold, once."""
    spending, account_id, key, asked = await _move(request, _capture)
    ordered = spending.capture(account_id, key, authorization_id, asked.amount_fen)
    return respond_json(await _counted(request, OrderKind.CAPTURE, ordered))


@post("/v1/spending/authorizations/{authorization_id:str}/void", status_code=200)
async def void_authorization(
    request: Request[Any, Any, Any], authorization_id: FromPath[str]
) -> Response[bytes]:
    """Drop a hold."""
    spending, account_id, key, _ = await _move(request, _void, without_body=Void())
    ordered = spending.void(account_id, key, authorization_id)
    return respond_json(await _counted(request, OrderKind.VOID, ordered))


@post("/v1/spending/authorizations/{authorization_id:str}/refund", status_code=200)
async def refund_authorization(
    request: Request[Any, Any, Any], authorization_id: FromPath[str]
) -> Response[bytes]:
    """Give back of what was captured."""
    spending, account_id, key, asked = await _move(request, _refund)
    ordered = spending.refund(account_id, key, authorization_id, asked.amount_fen)
    return respond_json(await _counted(request, OrderKind.REFUND, ordered))


@get("/v1/spending/authorizations/{authorization_id:str}")
async def show_authorization(
    request: Request[Any, Any, Any], authorization_id: FromPath[str]
) -> Response[bytes]:
    """Tell how an authorization stands."""
    caller = await require(request, Action.SPEND)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    return respond_json(await runtime.spending.find(caller.account_id, authorization_id))


async def _counted(
    request: Request[Any, Any, Any], order: OrderKind, ordered: Awaitable[_Answered]
) -> _Answered:
    """Wait for an order and count what it is answered."""
    metrics: Metrics = request.app.state.metrics
    try:
        answer = await ordered
    except CheckerError as refusal:
        metrics.ordered(order, problem_of(refusal).code)
        raise
    metrics.ordered(order, answer.status)
    return answer


async def _move(
    request: Request[Any, Any, Any],
    decoder: msgspec.json.Decoder[_Asked],
    *,
    without_body: _Asked | None = None,
) -> tuple[Authorizations, str, str, _Asked]:
    """Read a move: where to order it, by which account, under which key, and what is asked."""
    caller = await require(request, Action.SPEND)
    refuse_unknown(request, ())
    key = _key(request)
    body = await read_body(request.receive, CHECK_BYTES_MAX)
    asked = decode(decoder, body) if body or without_body is None else without_body
    runtime: Runtime = request.app.state.runtime
    return runtime.spending, caller.account_id, key, asked


def _key(request: Request[Any, Any, Any]) -> str:
    """Read the idempotency key, which every order needs. Raises InvalidRequest."""
    key = read_key(request)
    if key is not None:
        return key
    fault = Fault("", f"send {KEY_HEADER}: 1 to {KEY_LENGTH_MAX} printable characters")
    raise InvalidRequest(f"the header {KEY_HEADER} is missing", [fault])


def _check(asked: Authorize, caller: Caller, runtime: Runtime) -> PreparedCheck:
    if asked.service.amount_fen == 0:
        fault = Fault("/service/amount_fen", "is at least 1: nothing is not held")
        raise InvalidRequest("a field is not as it must be", [fault])
    return prepare(asked, caller, shanghai_day(runtime.clock.now()), runtime.sealer.tokens_of)
